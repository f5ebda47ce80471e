#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace palisade {

// An immutable RGB picture, shared by reference: copying an Image copies a pointer. Rows from the top, pixels
// interleaved, no padding. Samples are 8-bit, or f32 in 0..255 where a resize preset keeps fractions.
// Safe to read from any thread.
class Image {
 public:
  Image() = default;
  // `rgb` holds width * height * 3 samples.
  Image(int width, int height, std::vector<std::uint8_t> rgb);
  Image(int width, int height, std::vector<float> rgb);
  // Samples that `owner` keeps, such as memory shared with another process. Nobody may ever change them.
  Image(int width, int height, std::span<const std::uint8_t> rgb, std::shared_ptr<const void> owner);
  Image(int width, int height, std::span<const float> rgb, std::shared_ptr<const void> owner);

  int width() const { return width_; }
  int height() const { return height_; }
  bool empty() const { return width_ == 0; }
  bool is_float() const { return !f32_.empty(); }

  // [height, width, 3]; empty when the samples are of the other kind.
  std::span<const std::uint8_t> u8() const { return u8_; }
  std::span<const float> f32() const { return f32_; }
  // The samples as bytes, for hashing.
  std::span<const std::byte> bytes() const;
  // Equal for two Images that share their samples, unique while one of them lives.
  const void* identity() const { return owner_.get(); }
  // Dies with the samples: lets a cache drop what it derived from them.
  std::weak_ptr<const void> lifetime() const { return owner_; }

 private:
  int width_ = 0;
  int height_ = 0;
  std::shared_ptr<const void> owner_;
  std::span<const std::uint8_t> u8_;
  std::span<const float> f32_;
};

}  // namespace palisade
