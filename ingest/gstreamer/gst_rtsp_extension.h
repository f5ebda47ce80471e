#pragma once

#include <memory>
#include <string>

#include "ingest/rtsp/rtsp_dialogue.h"

namespace palisade {

// rtspsrc's side of an RtspDialogue. GStreamer lets extensions see each answer before rtspsrc acts on it;
// this one tells it to the dialogue, and keeps rtspsrc from following it elsewhere. Once, before rtspsrc is
// loaded.
void register_rtsp_extension();

// While it lives, an rtspsrc that is made on this thread tells `dialogue` what the camera at `host` answers.
class RtspExtensionScope {
 public:
  RtspExtensionScope(std::shared_ptr<RtspDialogue> dialogue, std::string host);
  ~RtspExtensionScope();
  RtspExtensionScope(const RtspExtensionScope&) = delete;
  RtspExtensionScope& operator=(const RtspExtensionScope&) = delete;

  // False where rtspsrc was made without it.
  bool taken() const;
};

}  // namespace palisade
