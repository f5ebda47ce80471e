#pragma once

#include <memory>
#include <string>

#include "ingest/rtsp/rtsp_dialogue.h"

namespace palisade {

// Registers an extension of rtspsrc that passes each answer of the camera to an RtspDialogue before rtspsrc
// acts on it, and keeps rtspsrc from following redirections by itself. To be called once, before rtspsrc is
// loaded.
void register_rtsp_extension();

// While this object exists, an rtspsrc that is created on this thread reports the answers of the camera at
// `host` to `dialogue`.
class RtspExtensionScope {
 public:
  RtspExtensionScope(std::shared_ptr<RtspDialogue> dialogue, std::string host);
  ~RtspExtensionScope();
  RtspExtensionScope(const RtspExtensionScope&) = delete;
  RtspExtensionScope& operator=(const RtspExtensionScope&) = delete;

  // Whether an rtspsrc has been created with the extension.
  bool taken() const;
};

}  // namespace palisade
