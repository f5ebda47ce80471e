#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

#include "frames/image.h"

namespace palisade {

// SHA-256 of images' samples, lower-case hex. An image is hashed once, however many windows and prompts it is
// in, and forgotten when it is gone. One thread's.
class FrameHashes {
 public:
  std::string of(const Image& image);
  std::size_t hashed() const { return hashed_; }  // images so far

 private:
  struct Entry {
    std::weak_ptr<const void> lifetime;
    std::string sha256;
  };
  void forget_gone();

  std::unordered_map<const void*, Entry> known_;  // by Image::identity()
  std::size_t forget_at_ = 256;
  std::size_t hashed_ = 0;
};

}  // namespace palisade
