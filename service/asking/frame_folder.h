#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "frames/clip.h"

namespace palisade {

// A folder of the frames that answers saw, as PNG with exactly the encoder's pixels. Files are named by
// answer, frame, stream, media time and wall time. No file is overwritten and no link followed. Used by one
// thread.
class FrameFolder {
 public:
  // Creates the folder where it is missing. Throws std::runtime_error naming what cannot be created or
  // written.
  explicit FrameFolder(const std::filesystem::path& folder);
  ~FrameFolder();
  FrameFolder(const FrameFolder&) = delete;
  FrameFolder& operator=(const FrameFolder&) = delete;

  // Writes the frames of the next answer.
  void write(const Clip& clip);

 private:
  void write(const std::string& name, const Image& image) const;

  const std::filesystem::path path_;
  int folder_ = -1;
  std::uint64_t answers_ = 0;
};

// "000001-03-street-00004.250s-20261130T140004.250Z.png": of the third frame of the first answer.
std::string frame_file_name(std::uint64_t answer, std::size_t frame_number, const Frame& frame);

}  // namespace palisade
