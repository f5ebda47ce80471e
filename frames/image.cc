#include "frames/image.h"

#include <cassert>
#include <utility>

namespace palisade {

Image::Image(int width, int height, std::vector<std::uint8_t> rgb) : width_(width), height_(height) {
  assert(width > 0 && height > 0 && rgb.size() == std::size_t(width) * height * 3);
  auto samples = std::make_shared<const std::vector<std::uint8_t>>(std::move(rgb));
  u8_ = *samples;
  owner_ = std::move(samples);
}

Image::Image(int width, int height, std::vector<float> rgb) : width_(width), height_(height) {
  assert(width > 0 && height > 0 && rgb.size() == std::size_t(width) * height * 3);
  auto samples = std::make_shared<const std::vector<float>>(std::move(rgb));
  f32_ = *samples;
  owner_ = std::move(samples);
}

Image::Image(int width, int height, std::span<const std::uint8_t> rgb, std::shared_ptr<const void> owner)
    : width_(width), height_(height), owner_(std::move(owner)), u8_(rgb) {
  assert(width > 0 && height > 0 && rgb.size() == std::size_t(width) * height * 3);
}

Image::Image(int width, int height, std::span<const float> rgb, std::shared_ptr<const void> owner)
    : width_(width), height_(height), owner_(std::move(owner)), f32_(rgb) {
  assert(width > 0 && height > 0 && rgb.size() == std::size_t(width) * height * 3);
}

std::span<const std::byte> Image::bytes() const {
  return is_float() ? std::as_bytes(f32_) : std::as_bytes(u8_);
}

}  // namespace palisade
