#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "frames/frame.h"
#include "frames/resize.h"

namespace palisade {

// Pictures that others are compared with, by name: read from a file, or taken from a stream and then kept in
// that file too. Any thread.
class ReferencePictures {
 public:
  // Reads `file` where there is one; without it the name has no picture until one is set. A name that is open
  // with that file stays as it is. `side`: of the model's square. Throws PictureError.
  void open(const std::string& name, const std::filesystem::path& file, int side, ResizePreset resize);
  // From now on. Throws PictureError where its file cannot be written; the old one stays then.
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
