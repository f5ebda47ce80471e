#include "examples/demo_model/patch_labels.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "examples/world/truth.h"

namespace palisade::world {
namespace {

constexpr int kSlots = 2;   // labels per patch, one for each object
constexpr int kSteps = 64;  // steps of a coordinate
constexpr int kPerSlot = 6;
constexpr int kGrid = 4;  // patches a side of the demo model

constexpr PatchLabel kPlace{kSteps + 1, 0.3};
constexpr std::array kLabels{PatchLabel{1 + int(kStreetKinds.size()) * kColours, 4.0},
                             kPlace,
                             kPlace,
                             kPlace,
                             kPlace,
                             PatchLabel{2, 0.2},
                             PatchLabel{1 + int(kStreetKinds.size()) * kColours, 2.0},
                             kPlace,
                             kPlace,
                             kPlace,
                             kPlace,
                             PatchLabel{2, 0.2},
                             PatchLabel{kGrid, 0.1},
                             PatchLabel{kGrid, 0.1}};

// A box as fractions of the picture, clipped to it. As in captions, it is not rounded to pixels.
struct Place {
  const Object* object;
  double x0, x1, y0, y1;
};

int step_of(double fraction) {
  return int(std::floor(kSteps * std::clamp(fraction, 0.0, 1.0) + 0.5));
}

}  // namespace

std::span<const PatchLabel> patch_labels() {
  return kLabels;
}

void append_patch_labels(std::span<const Object> objects, double t, int grid, std::vector<int>& labels) {
  std::vector<std::vector<Place>> patches(std::size_t(grid) * std::size_t(grid));
  for (const Object& object : objects) {
    if (visible_fraction(object, t) < kMinVisible) continue;
    const double left = object.x_at(t).value();
    const Place place{
        &object, std::max(0.0, left) / kWidth, std::min<double>(kWidth, left + object.width) / kWidth,
        (object.baseline - object.height) / kHeight, std::min<double>(kHeight, object.baseline) / kHeight};
    const auto cell = [&](double from, double to) { return std::min(grid - 1, int((from + to) / 2 * grid)); };
    patches[std::size_t(cell(place.y0, place.y1) * grid + cell(place.x0, place.x1))].push_back(place);
  }
  for (int patch = 0; patch < grid * grid; ++patch) {
    auto& seen = patches[std::size_t(patch)];
    std::ranges::sort(seen, {}, [](const Place& place) { return place.x0 + place.x1; });
    for (std::size_t slot = 0; slot < kSlots; ++slot) {
      if (slot >= seen.size()) {
        labels.push_back(0);
        labels.insert(labels.end(), kPerSlot - 1, -1);
        continue;
      }
      const Place& place = seen[slot];
      labels.push_back(1 + int(place.object->kind) * kColours + int(place.object->colour));
      for (const double fraction : {place.x0, place.x1, place.y0, place.y1})
        labels.push_back(step_of(fraction));
      labels.push_back(place.object->faces_right);
    }
    labels.push_back(patch / grid);
    labels.push_back(patch % grid);
  }
}

}  // namespace palisade::world
