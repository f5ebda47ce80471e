#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ingest/ffmpeg/ffmpeg_deadline.h"
#include "ingest/ffmpeg/ffmpeg_handles.h"
#include "ingest/ffmpeg/ffmpeg_log.h"

namespace palisade {

// Ends the reading of a container that claims more pictures than it has bytes, or whose index outgrows all
// bounds: some bytes of a file may stand for gigabytes of tables, which FFmpeg fills without asking anybody.
// It does log what it reads, so this listens, and also looks at the time there, where no other call would.
// Outlives its context.
class FfmpegBounds : public FfmpegListener {
 public:
  explicit FfmpegBounds(Deadline& deadline) : deadline_(deadline) {}

  void hear(AVFormatContext& context, std::string_view format, std::va_list arguments) override;
  // What was too much; nothing where the reading went on.
  const std::string& excess() const { return excess_; }

 private:
  void judge(AVFormatContext& context);
  void end(AVFormatContext& context, std::string excess);

  Deadline& deadline_;
  std::int64_t claimed_ = 0;  // pictures and pieces of sound, by tables and fragments so far
  std::uint64_t heard_ = 0;
  std::string excess_;
};

}  // namespace palisade
