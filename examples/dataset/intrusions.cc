// Hours of a simulated street in a short film, with intrusions by script: for trying alert rules.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "examples/dataset/clip_file.h"
#include "examples/world/draw.h"
#include "examples/world/random.h"
#include "examples/world/sprite.h"
#include "examples/world/street.h"

namespace palisade::world {
namespace {

constexpr double kNearest = 356;      // baseline: nothing hides it
constexpr double kOutsideEdge = 4;    // pixels beyond the edge
constexpr double kLightChanges = 60;  // seconds from one light to the next
constexpr int kKbit = 1500;
// Traffic without people: every person is scripted.
constexpr std::array kTraffic{Kind::kCar, Kind::kTruck, Kind::kDog, Kind::kBicycle};

struct IntrusionSettings {
  std::string film;
  double seconds = 7200;                // of the street
  double lapse = 20;                    // of these in a second of the film
  int fps = 2;                          // pictures in a second of the street
  int intrusions = 12;                  // red people
  int lookalikes = 30;                  // people of other colours
  double quiet_from = 0, quiet_to = 0;  // in which one more intrusion happens
  std::uint64_t seed = 7;
};

struct Visit {
  std::string kind;  // "intrusion", "quiet" or "lookalike"
  Object object;
};

// A person who comes in, stands for a while and goes on.
Object person_at(double t, Colour colour, Random& random, std::int64_t id) {
  Object person = random_object(random, kNearest, {Kind::kPerson, colour});
  person.id = id;
  const double left = -person.width - kOutsideEdge, right = kWidth + kOutsideEdge;
  const double begin = person.faces_right ? left : right, end = person.faces_right ? right : left;
  const double stop = random.between(0.25 * kWidth, 0.75 * kWidth), speed = random.between(80, 160);
  person.knots = {{t, begin}};
  t += std::abs(stop - begin) / speed;
  person.knots.push_back({t, stop});
  t += random.between(15, 40);
  person.knots.push_back({t, stop});
  t += std::abs(end - stop) / speed;
  person.knots.push_back({t, end});
  return person;
}

// At equal distances in random order, so that no two are there at once.
std::vector<Visit> visits_of(const IntrusionSettings& settings, Random& random) {
  std::vector<std::string> kinds(std::size_t(settings.intrusions), "intrusion");
  kinds.insert(kinds.end(), std::size_t(settings.lookalikes), "lookalike");
  for (std::size_t i = kinds.size(); i > 1; --i)
    std::swap(kinds[i - 1], kinds[std::size_t(random.below(int(i)))]);
  std::vector<Visit> visits;
  const bool quiet = settings.quiet_to > settings.quiet_from;
  const double each =
      (settings.seconds - (settings.quiet_to - settings.quiet_from)) / double(kinds.size() + 1);
  double t = each / 2;
  std::int64_t id = 1'000'000;
  const auto visit = [&](const std::string& kind, double at) {
    const Colour colour =
        kind == "lookalike" ? static_cast<Colour>(1 + random.below(kColours - 1)) : Colour::kRed;
    visits.push_back({kind, person_at(at, colour, random, id++)});
  };
  for (const std::string& kind : kinds) {
    if (quiet && t + each > settings.quiet_from && t < settings.quiet_to) t = settings.quiet_to + each / 2;
    visit(kind, t);
    t += each;
  }
  if (quiet) visit("quiet", (settings.quiet_from + settings.quiet_to) / 2);
  return visits;
}

// The first and the last second in which enough of it is in the picture.
std::pair<double, double> visible_time(const Object& object) {
  double from = object.until(), until = object.from();
  for (double t = object.from(); t <= object.until(); t += 0.05) {
    if (visible_fraction(object, t) < kMinVisible) continue;
    from = std::min(from, t);
    until = std::max(until, t);
  }
  return {from, until};
}

void write_truth(const std::string& file, const std::vector<Visit>& visits, double lapse) {
  std::ofstream out(file);
  for (const Visit& visit : visits) {
    const auto [from, until] = visible_time(visit.object);
    out << Json{{"kind", visit.kind},
                {"colour", name(visit.object.colour)},
                {"from", from / lapse},
                {"until", until / lapse}}
        << "\n";
  }
}

// The street and its light, one after another.
class Film {
 public:
  Film(const IntrusionSettings& settings, const std::vector<Visit>& visits)
      : settings_(settings),
        visits_(visits),
        street_(settings.seed, 0, kTraffic),
        random_(settings.seed + 1) {
    look_ = random_look(random_);
    next_look_ = random_look(random_);
  }

  void draw(std::size_t i, std::span<std::uint8_t> frame) {
    const double t = double(i) / settings_.fps;
    if (t >= light_until_) change_light(t);
    street_.advance(t + 1);
    street_.forget(t);
    std::vector<Object> objects(street_.objects().begin(), street_.objects().end());
    for (const Visit& visit : visits_) {
      if (visit.object.from() <= t && t <= visit.object.until()) objects.push_back(visit.object);
    }
    painter_->paint(objects, t, frame);
  }

 private:
  // In steps from one light to another, of the same street.
  void change_light(double t) {
    constexpr int kSteps = 10;
    if (step_++ % kSteps == 0) {
      look_ = next_look_;
      next_look_ = random_look(random_);
      next_look_.background = look_.background;
      next_look_.mirrored = look_.mirrored;
    }
    Look now = look_;
    const double share = double(step_ % kSteps) / kSteps;
    for (std::size_t c = 0; c < now.gain.size(); ++c)
      now.gain[c] = (1 - share) * look_.gain[c] + share * next_look_.gain[c];
    painter_ =
        std::make_unique<Painter>(sprites_, assets_folder(), now, settings_.seed + std::uint64_t(step_));
    light_until_ = t + kLightChanges;
  }

  const IntrusionSettings& settings_;
  const std::vector<Visit>& visits_;
  Sprites sprites_{assets_folder()};
  Street street_;
  Random random_;
  Look look_, next_look_;
  std::unique_ptr<Painter> painter_;
  double light_until_ = 0;
  int step_ = 0;
};

void make(const IntrusionSettings& settings) {
  Random random(settings.seed);
  const std::vector<Visit> visits = visits_of(settings, random);
  write_truth(settings.film + ".truth.jsonl", visits, settings.lapse);
  Film film(settings, visits);
  std::vector<double> times;
  for (int i = 0; i < int(settings.seconds * settings.fps); ++i)
    times.push_back(double(i) / settings.fps / settings.lapse);
  write_clip(settings.film, times, kKbit,
             [&](std::size_t i, std::span<std::uint8_t> frame) { film.draw(i, frame); });
}

}  // namespace
}  // namespace palisade::world

int main(int argc, char** argv) {
  palisade::world::IntrusionSettings settings;
  CLI::App app(
      "Hours of a simulated street in a short film (MP4), with intrusions by script: red people among people "
      "of other "
      "colours. What is when stands in FILM.truth.jsonl, in seconds of the film.");
  app.add_option("film", settings.film)->required();
  app.add_option("--seconds", settings.seconds, "Of the street")->capture_default_str();
  app.add_option("--lapse", settings.lapse, "Seconds of the street in one of the film")
      ->capture_default_str();
  app.add_option("--fps", settings.fps, "Pictures in a second of the street")
      ->check(CLI::Range(1, 10))
      ->capture_default_str();
  app.add_option("--intrusions", settings.intrusions)->check(CLI::Range(0, 1000))->capture_default_str();
  app.add_option("--lookalikes", settings.lookalikes)->check(CLI::Range(0, 1000))->capture_default_str();
  app.add_option("--quiet-from", settings.quiet_from,
                 "Seconds of the street from which one more intrusion is to be quiet");
  app.add_option("--quiet-to", settings.quiet_to);
  app.add_option("--seed", settings.seed)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    palisade::world::make(settings);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "palisade-intrusions: %s\n", error.what());
    return 1;
  }
  return 0;
}
