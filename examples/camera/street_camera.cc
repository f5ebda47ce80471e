#include "examples/camera/street_camera.h"

#include <chrono>

namespace palisade::world {
namespace {

constexpr double kForesight = 5.0;  // seconds by which the truth file is ahead

}  // namespace

StreetCamera::StreetCamera(CameraSettings settings, const Sprites& sprites, TruthWriter* truth)
    : settings_(std::move(settings)),
      truth_(truth),
      street_(settings_.seed, 0),
      painter_(sprites, assets_folder(), settings_.look, settings_.seed) {
  if (truth_ != nullptr) truth_->scene(settings_.name, settings_.start, settings_.look);
  foresee(settings_.start);
}

void StreetCamera::draw(double wall, std::span<std::uint8_t> frame) {
  const std::lock_guard lock(mutex_);
  advance(wall);
  painter_.paint(street_.objects(), wall - settings_.start, frame);
}

void StreetCamera::foresee(double wall) {
  const std::lock_guard lock(mutex_);
  advance(wall);
}

void StreetCamera::advance(double wall) {
  const double t = wall - settings_.start;
  for (const Object& object : street_.advance(t + kForesight)) {
    if (truth_ != nullptr) truth_->object(settings_.name, settings_.start, object);
  }
  street_.forget(t);
}

double wall_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace palisade::world
