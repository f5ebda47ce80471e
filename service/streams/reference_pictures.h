#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "frames/frame.h"
#include "frames/resize.h"

namespace palisade {

// Named pictures that clips are compared with. Each is read from its file, or taken from a stream and then
// also written to that file. Thread-safe.
class ReferencePictures {
 public:
  // Reads `file` if it exists; otherwise the name has no picture until one is set. Does nothing if the name
  // is already open with that file. `side`: width and height that the model takes. Throws PictureError.
  void open(const std::string& name, const std::filesystem::path& file, int side, ResizePreset resize);
  // Replaces the picture of that name. Throws PictureError if its file cannot be written; the old picture
  // then stays.
  void set(const std::string& name, Frame frame);
  std::optional<Frame> get(const std::string& name) const;

 private:
  struct Reference {
    std::filesystem::path file;
    std::optional<Frame> frame;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Reference> references_;  // guarded by mutex_
};

}  // namespace palisade
