#pragma once

#include <string>

#include "frames/orientation.h"
#include "ingest/ffmpeg/ffmpeg_handles.h"
#include "ingest/source/sei_orientation.h"

namespace palisade {

// The orientation of a video stream's pictures: by its codec's messages, else by the decoded picture's side
// data, else by the container. A change applies from its picture on.
class FfmpegOrientation {
 public:
  explicit FfmpegOrientation(const AVStream& video);

  // Call with every packet, decoded or not, before it is sent to the decoder.
  void note_packet(AVCodecContext& codec, const AVPacket& packet);
  Orientation of(const AVFrame& frame);
  // A note about a rotation that was rounded; empty: none.
  const std::string& remark() const { return remark_; }

 private:
  Orientation of_matrix(const std::uint8_t* matrix);

  const bool has_messages_;  // the codec can have messages, which replace the decoder's side data
  SeiOrientation messages_;
  Orientation container_ = Orientation::kUpright;
  std::string remark_;
};

}  // namespace palisade
