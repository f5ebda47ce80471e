#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <unordered_map>

#include "frames/image.h"
#include "model/config/preprocessor.h"

namespace palisade {

// Pictures and frames of films as the model's square, kept in memory up to a limit. What comes first stays:
// of every epoch the same share then needs no file, whatever the order. Thread-safe.
class KeptPictures {
 public:
  // Squares that another preprocessor made, or that are over the limit together, are forgotten.
  void begin(const Preprocessor& preprocessor, std::size_t most_bytes);

  // Empty where it is not kept. A picture is frame 0 of its file.
  Image find(const std::filesystem::path& file, std::uint64_t frame = 0) const;
  // Does nothing where the limit is reached.
  void keep(const std::filesystem::path& file, std::uint64_t frame, const Image& square);
  // The same of a whole picture, which is resized only where there is room for it.
  void keep_picture(const std::filesystem::path& file, const Image& picture);
  void forget(const std::filesystem::path& file);

  std::size_t bytes() const;

 private:
  using Frames = std::unordered_map<std::uint64_t, Image>;  // by number

  bool has_room() const;

  mutable std::mutex mutex_;
  Preprocessor preprocessor_;
  std::size_t most_bytes_ = 0;
  std::size_t bytes_ = 0;
  std::unordered_map<std::string, Frames> files_;  // by path
};

}  // namespace palisade
