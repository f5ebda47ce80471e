#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "base/clock.h"
#include "ingest/ffmpeg/ffmpeg_deadline.h"
#include "ingest/ffmpeg/ffmpeg_handles.h"

namespace palisade {

// A regular file as FFmpeg's input. FFmpeg gets bytes and no name, so that no path can mean a protocol. A
// FIFO or device is refused without waiting for its writer.
class FileInput {
 public:
  // Reads nothing after `deadline`, which outlives this. Throws SourceError.
  FileInput(const std::filesystem::path& path, const Deadline& deadline);
  ~FileInput();
  FileInput(const FileInput&) = delete;
  FileInput& operator=(const FileInput&) = delete;

  AVIOContext* io() { return io_.get(); }
  WallTime modified() const { return modified_; }
  // The first bytes, wherever the position is.
  std::vector<std::byte> start() const;
  // Throws SourceError where a read failed, which demuxers take for the end.
  void require_sound() const;

 private:
  static int read(void* self, std::uint8_t* out, int size);
  static std::int64_t seek(void* self, std::int64_t offset, int whence);

  const Deadline& deadline_;
  std::filesystem::path path_;
  int file_ = -1;
  int failure_ = 0;  // errno of a read
  std::int64_t size_ = 0;
  WallTime modified_{};
  Av<AVIOContext> io_;
};

}  // namespace palisade
