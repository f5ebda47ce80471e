#pragma once

#include <string>

#include "frames/orientation.h"
#include "ingest/ffmpeg/ffmpeg_handles.h"
#include "ingest/source/sei_orientation.h"

namespace palisade {

// How the pictures of one video stream lie: as its codec's messages say, else what the decoder found in the
// picture itself, else what the container says of all. A change on the way is followed from its picture on.
class FfmpegOrientation {
 public:
  explicit FfmpegOrientation(const AVStream& video);

  // Every packet, also those that are not decoded, before it is sent to the decoder, which hands on what is
  // noted here to the packet's picture.
  void note_packet(AVCodecContext& codec, const AVPacket& packet);
  Orientation of(const AVFrame& frame);
  // What is to be told of a turn that was not followed exactly; empty: nothing.
  const std::string& remark() const { return remark_; }

 private:
  Orientation of_matrix(const std::uint8_t* matrix);

  const bool has_messages_;  // its codec can have some, and the decoder's own account of them is not needed
  SeiOrientation messages_;
  Orientation container_ = Orientation::kUpright;
  std::string remark_;
};

}  // namespace palisade
