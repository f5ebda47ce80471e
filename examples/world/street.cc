#include "examples/world/street.h"

#include <algorithm>
#include <cmath>

namespace palisade::world {
namespace {

constexpr double kOutside = 4.0;       // pixels beyond the edge at which objects appear and disappear
constexpr double kBeginEarlier = 5.0;  // seconds of traffic before the first picture
constexpr double kLongStop = 0.12;     // share of stops that are long, up to 30 s
constexpr int kStreetAttempts = 200;   // to find an object unlike those on the street
// Probability that another object may appear while 0, 1, 2 or 3 are there, so that 4 are rare.
constexpr std::array<double, 4> kWelcome{1, 0.4, 0.45, 0.01};

double clipped(double level) {
  return std::clamp(level, 0.0, 255.0);
}

}  // namespace

Thing random_thing(Random& random, Kinds kinds) {
  const Kind kind = kinds[random.below(static_cast<int>(kinds.size()))];
  return {kind, static_cast<Colour>(random.below(kColours))};
}

Look random_look(Random& random) {
  struct Light {
    const char* name;
    double from, to;
    std::array<double, 3> tint;
  };
  static constexpr Light kDay{"day", 0.90, 1.08, {1, 1, 1}};
  static constexpr Light kDusk{"dusk", 0.66, 0.82, {1.08, 1, 0.90}};
  static constexpr Light kNight{"night", 0.46, 0.60, {0.92, 0.97, 1.15}};
  Look look;
  look.background = random.below(12);
  look.mirrored = random.chance(0.5);
  const double share = random.unit();
  const Light& light = share < 0.6 ? kDay : share < 0.8 ? kDusk : kNight;
  look.light = light.name;
  const double gain = random.between(light.from, light.to);
  for (std::size_t c = 0; c < 3; ++c) look.gain[c] = gain * light.tint[c];
  look.noise_sigma = random.between(0.5, 4.0);
  return look;
}

Object random_object(Random& random, double baseline, Thing thing) {
  Object object;
  object.kind = thing.kind;
  object.colour = thing.colour;
  const double gain = random.between(0.92, 1.06);
  const std::array<double, 3> base = paint(object.colour);
  for (std::size_t c = 0; c < 3; ++c) object.tint[c] = clipped(base[c] * gain * random.between(0.97, 1.03));
  object.baseline = baseline;
  object.scale = (0.76 + 0.0025 * (baseline - 190)) * random.between(0.92, 1.08);
  object.faces_right = random.chance(0.5);
  object.width = static_cast<int>(std::nearbyint(facts(object.kind).width * object.scale));
  object.height = static_cast<int>(std::nearbyint(facts(object.kind).height * object.scale));
  return object;
}

Street::Street(std::uint64_t seed, double start, Kinds kinds)
    : random_(seed), kinds_(kinds.begin(), kinds.end()), lanes_{{{196, 0}, {246, 0}, {298, 0}, {350, 0}}} {
  for (Lane& lane : lanes_) lane.free_from = start - kBeginEarlier + random_.between(1, 9);
}

std::vector<Object> Street::advance(double t) {
  const auto decided = static_cast<std::ptrdiff_t>(objects_.size());
  for (;;) {
    Lane& lane = *std::ranges::min_element(lanes_, {}, &Lane::free_from);
    if (lane.free_from > t) break;
    give_way(lane);
  }
  return {objects_.begin() + decided, objects_.end()};
}

void Street::forget(double t) {
  std::erase_if(objects_, [&](const Object& object) { return object.until() < t - kMemory; });
}

// Adds the lane's next object, or tries again later if the street is full.
void Street::give_way(Lane& lane) {
  const double t = lane.free_from;
  if (!random_.chance(kWelcome[still_there(t)])) {
    lane.free_from = t + random_.between(1, 9);
    return;
  }
  const double baseline = lane.baseline + random_.between(-6, 6);
  Object object = random_object(random_, baseline, random_thing(random_, kinds_));
  set_course(object, t);
  // Draws colours until one is not on the street. The kind stays, because the course was made for its width.
  for (int attempt = 0; resembles_another(object); ++attempt) {
    if (attempt == kStreetAttempts) {
      lane.free_from = t + random_.between(1, 9);
      return;
    }
    const Object other = random_object(random_, object.baseline, random_thing(random_, kinds_));
    if (other.kind != object.kind) continue;
    object.colour = other.colour;
    object.tint = other.tint;
  }
  object.id = next_id_++;
  lane.free_from = object.until() + random_.between(1, 9);
  objects_.push_back(std::move(object));
}

// The number of objects that are still on the street at t: at most one in each lane.
std::size_t Street::still_there(double t) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(objects_, [&](const Object& object) { return object.until() > t; }));
}

// Lanes take turns in the order of time, so all objects that could overlap are already known.
bool Street::resembles_another(const Object& object) const {
  return std::ranges::any_of(objects_, [&](const Object& other) {
    return other.kind == object.kind && other.colour == object.colour &&
           other.from() < object.until() + kApart && object.from() < other.until() + kApart;
  });
}

void Street::set_course(Object& object, double t) {
  const double left = -object.width - kOutside;
  const double right = kWidth + kOutside;
  const double begin = object.faces_right ? left : right;
  const double end = object.faces_right ? right : left;
  const double speed = random_.between(80, 300);  // pixels a second
  const auto reached = [&](double from, double to) { return std::abs(to - from) / speed; };
  object.knots = {{t, begin}};
  if (random_.chance(0.45)) {
    const double stop = random_.between(0.12 * kWidth, 0.88 * kWidth) - object.width / 2.0;
    const double pause = random_.chance(kLongStop) ? random_.between(9, 30) : random_.between(3, 9);
    t += reached(begin, stop);
    object.knots.push_back({t, stop});
    t += pause;
    object.knots.push_back({t, stop});
    t += reached(stop, end);
  } else {
    t += reached(begin, end);
  }
  object.knots.push_back({t, end});
}

}  // namespace palisade::world
