#include "tasks/box_picture.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

namespace palisade {
namespace {

using Colour = std::array<std::uint8_t, 3>;

// Told apart by most eyes: Okabe and Ito's, the lighter ones first.
constexpr Colour kColours[] = {{230, 159, 0},   {86, 180, 233}, {240, 228, 66}, {0, 158, 115},
                               {204, 121, 167}, {213, 94, 0},   {0, 114, 178}};

// A picture being drawn on.
class Canvas {
 public:
  explicit Canvas(const Image& picture)
      : width_(picture.width()), height_(picture.height()), rgb_(picture.u8().begin(), picture.u8().end()) {}

  // Half of the colour where the mask is.
  void tint(const Mask& mask, const Colour& colour) {
    const auto [x_min, y_min, x_max, y_max] = mask.box;
    for (int y = std::max(y_min, 0); y < std::min(y_max, height_); ++y) {
      for (int x = std::max(x_min, 0); x < std::min(x_max, width_); ++x) {
        if (!mask.holds(x, y)) continue;
        for (std::size_t i = 0; i < colour.size(); ++i)
          at(x, y)[i] = std::uint8_t((at(x, y)[i] + colour[i]) / 2);
      }
    }
  }
  void fill(int x_min, int y_min, int x_max, int y_max, const Colour& colour) {
    for (int y = std::max(y_min, 0); y < std::min(y_max, height_); ++y) {
      for (int x = std::max(x_min, 0); x < std::min(x_max, width_); ++x) std::ranges::copy(colour, at(x, y));
    }
  }
  // A line of `thickness` inside the box.
  void frame(const std::array<int, 4>& box, int thickness, const Colour& colour) {
    const auto [x_min, y_min, x_max, y_max] = box;
    fill(x_min, y_min, x_max, std::min(y_min + thickness, y_max), colour);
    fill(x_min, std::max(y_max - thickness, y_min), x_max, y_max, colour);
    fill(x_min, y_min, std::min(x_min + thickness, x_max), y_max, colour);
    fill(std::max(x_max - thickness, x_min), y_min, x_max, y_max, colour);
  }
  Image picture() { return {width_, height_, std::move(rgb_)}; }
  int thickness() const { return std::max(1, std::min(width_, height_) / 200); }

 private:
  std::uint8_t* at(int x, int y) { return &rgb_[(std::size_t(y) * width_ + x) * 3]; }

  int width_;
  int height_;
  std::vector<std::uint8_t> rgb_;
};

}  // namespace

Image with_boxes(const Image& picture, std::span<const DetectedBox> boxes) {
  Canvas canvas(picture);
  std::map<std::string, Colour> colours;
  for (const DetectedBox& box : boxes) {
    const Colour next = kColours[colours.size() % std::size(kColours)];
    const Colour& colour = colours.try_emplace(box.label, next).first->second;
    if (box.mask) canvas.tint(*box.mask, colour);
    canvas.frame(box.pixels, canvas.thickness() + 1, colour);
  }
  return canvas.picture();
}

}  // namespace palisade
