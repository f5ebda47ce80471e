#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "frames/image.h"

namespace palisade {

// Which pixels of a picture belong to an object; none outside its box.
struct Mask {
  int width = 0;  // of the picture
  int height = 0;
  std::array<int, 4> box{};          // x_min, y_min, x_max, y_max in its pixels
  std::vector<std::uint8_t> inside;  // [y_max - y_min, x_max - x_min], 1 or 0

  bool holds(int x, int y) const {
    const auto [x_min, y_min, x_max, y_max] = box;
    return x >= x_min && x < x_max && y >= y_min && y < y_max &&
           inside[std::size_t(y - y_min) * std::size_t(x_max - x_min) + std::size_t(x - x_min)] != 0;
  }
};

// What MaskDecoder::decode() gives, stretched over a box of a picture (Pillow's bilinear on f32, as
// big_vision does) and cut at 0. The box lies in the picture and may be empty.
Mask mask_in_box(std::span<const float> decoded, int width, int height, const std::array<int, 4>& box);

// COCO's run-length code of the whole picture: runs of its columns, the first one outside, as
// pycocotools.mask writes "counts".
std::string coco_counts(const Mask& mask);

// White where the mask is, black elsewhere; of the picture's size.
Image picture_of(const Mask& mask);

}  // namespace palisade
