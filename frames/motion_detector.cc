#include "frames/motion_detector.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/eigen.h"

namespace palisade {
namespace {

// Levels. The paper's multiple of the usual difference, and bounds that keep a still pixel from becoming
// oversensitive and a busy one from becoming blind.
constexpr float kMultiple = 4;
constexpr float kMinTolerance = 6;
constexpr float kMaxTolerance = 40;
// A pixel that moves becomes tolerant this many times more slowly, so that a busy path is not soon
// overlooked.
constexpr std::uint64_t kSlowly = 4;

constexpr float kSaturated = 245;
// Beyond this gain the background says too little about the current picture.
constexpr float kMaxGain = 4;
// Where more of the picture than this changes at once, it is another view.
constexpr double kAnotherView = 0.6;
// At least so many of the nine pixels around a moving one move; a raindrop's streak is narrower.
constexpr int kNeighbours = 7;
// The smallest thing, in pixels.
constexpr int kMinThingPixels = 8;

float median(std::vector<float>& values) {
  const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

using Plane = RowArray<float>;  // [height, width]

template <typename Values>
auto plane_of(Values& values, const Grey& like) {
  return array_of(values.data(), like.height, like.width, like.width);
}

// Combines each pixel with its eight neighbours; edge pixels stand for those beyond the edge.
template <typename Together>
Plane over_neighbours(const Plane& plane, Together together) {
  const Eigen::Index height = plane.rows(), width = plane.cols();
  Plane wide(height + 2, width + 2);
  wide.block(1, 1, height, width) = plane;
  wide.row(0) = wide.row(1);
  wide.row(height + 1) = wide.row(height);
  wide.col(0) = wide.col(1);
  wide.col(width + 1) = wide.col(width);
  const Plane columns =
      together(together(wide.topRows(height), wide.middleRows(1, height)), wide.bottomRows(height));
  return together(together(columns.leftCols(width), columns.middleCols(1, width)), columns.rightCols(width));
}

// The maximum of each pixel and its neighbours.
Plane dilated(const Plane& plane) {
  return over_neighbours(plane, [](const auto& a, const auto& b) { return a.max(b); });
}

}  // namespace

void MotionDetector::begin(Grey picture) {
  const std::size_t size = picture.luma.size();
  if (picture.width != background_.width || picture.height != background_.height) {
    looks_at_ = region_.empty() ? std::vector<std::uint8_t>(size, 1)
                                : touched_pixels(region_, picture.width, picture.height);
    looked_at_ = int(std::ranges::count(looks_at_, 1));
  }
  background_ = std::move(picture);
  tolerance_.assign(size, 2 * kMinTolerance);
  expected_.assign(size, 0);
  difference_.assign(size, 0);
  moving_.assign(size, 0);
}

int MotionDetector::look(const Image& image) {
  Grey picture = small_grey(image, kWidth, kHeight);
  ++looks_;
  if (picture.width != background_.width || picture.height != background_.height) {
    begin(std::move(picture));
    return 0;
  }
  const Light light = light_of(picture);
  compare(picture, light);
  const auto moving = std::ranges::count(moving_, 1);
  if (double(moving) > kAnotherView * looked_at_ || light.gain > kMaxGain || light.gain < 1 / kMaxGain) {
    begin(std::move(picture));
    return int(moving);
  }
  learn(picture, light);
  return count_moving();
}

// picture = gain * background + offset, by the pixels of the background: first the median ratio, which holds
// while less than half of the picture is hidden, then least squares over those that it explains.
MotionDetector::Light MotionDetector::light_of(const Grey& picture) const {
  constexpr std::size_t kEach = 3;
  constexpr float kDark = 4;  // keeps ratios of black finite
  std::vector<float> ratios;
  for (std::size_t i = 0; i < picture.luma.size(); i += kEach) {
    if (std::max(picture.luma[i], background_.luma[i]) > kSaturated) continue;
    ratios.push_back((picture.luma[i] + kDark) / (background_.luma[i] + kDark));
  }
  if (ratios.size() < 16) return {};
  Light light{.gain = median(ratios), .offset = 0};
  light.offset = kDark * (light.gain - 1);
  for (int round = 0; round < 2; ++round) {
    const auto residual = [&](std::size_t i) {
      return std::abs(picture.luma[i] - light.gain * background_.luma[i] - light.offset);
    };
    std::vector<float> residuals;
    for (std::size_t i = 0; i < picture.luma.size(); i += kEach) residuals.push_back(residual(i));
    const float most = 3 * median(residuals) + 2;
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (std::size_t i = 0; i < picture.luma.size(); i += kEach) {
      const double x = background_.luma[i], y = picture.luma[i];
      if (std::max(x, y) > kSaturated || residual(i) > most) continue;
      n += 1, sx += x, sy += y, sxx += x * x, sxy += x * y;
    }
    const double spread = n * sxx - sx * sx;
    // On a nearly uniform background gain and offset cannot be told apart, and the ratio is enough.
    if (n < 16 || spread < 25 * n * n) break;
    const double gain = (n * sxy - sx * sy) / spread;
    light = {.gain = float(gain), .offset = float((sy - gain * sx) / n)};
  }
  return light;
}

// A pixel differs from what is expected of it and of its neighbours: a shake moves the background by less
// than a pixel of the small picture (Elgammal, Harwood and Davis, "Non-parametric model for background
// subtraction", ECCV 2000, section 4, look at the neighbours for the same reason).
void MotionDetector::compare(const Grey& picture, Light light) {
  const auto seen = plane_of(picture.luma, picture);
  auto expected = plane_of(expected_, picture), difference = plane_of(difference_, picture);
  expected = (light.gain * plane_of(background_.luma, picture) + light.offset).max(0).min(255);
  const Plane highest = dilated(expected), lowest = -dilated(-expected);
  difference = (seen - highest).max(lowest - seen).max(0);
  plane_of(moving_, picture) =
      (difference > plane_of(tolerance_, picture)).cast<std::uint8_t>() * plane_of(looks_at_, picture);
}

// The sigma-delta step: moves background and tolerance one level towards the picture.
void MotionDetector::learn(const Grey& picture, Light light) {
  const auto expected = plane_of(expected_, picture), difference = plane_of(difference_, picture);
  auto background = plane_of(background_.luma, picture), tolerance = plane_of(tolerance_, picture);
  const auto towards = [](const auto& from, const auto& to) -> Plane {
    return from + (to - from).max(-1).min(1);
  };
  background += towards(expected, plane_of(picture.luma, picture)) / light.gain - expected / light.gain;
  const Plane next = towards(tolerance, kMultiple * difference).max(kMinTolerance).min(kMaxTolerance);
  const bool all_learn = looks_ % kSlowly == 0;
  if (all_learn) {
    tolerance = next;
  } else {
    tolerance = (plane_of(moving_, picture) == 0).select(next, tolerance);
  }
}

// Counts moving pixels, without thin and tiny things.
int MotionDetector::count_moving() const {
  const int width = background_.width;
  const auto moves = plane_of(moving_, background_);
  const Plane together = over_neighbours(moves.cast<float>(), std::plus());
  std::vector<std::uint8_t> solid(moving_.size());
  plane_of(solid, background_) = (together >= kNeighbours).cast<std::uint8_t>() * moves;
  int moving = 0;
  std::vector<int> open;
  for (int start = 0; start < int(solid.size()); ++start) {
    if (!solid[std::size_t(start)]) continue;
    int thing = 0;
    solid[std::size_t(start)] = 0;
    open.assign(1, start);
    while (!open.empty()) {
      const int at = open.back();
      open.pop_back();
      ++thing;
      for (const int next :
           {at - width, at + width, at % width > 0 ? at - 1 : -1, at % width + 1 < width ? at + 1 : -1}) {
        if (next < 0 || next >= int(solid.size()) || !solid[std::size_t(next)]) continue;
        solid[std::size_t(next)] = 0;
        open.push_back(next);
      }
    }
    if (thing >= kMinThingPixels) moving += thing;
  }
  return moving;
}

}  // namespace palisade
