// Measures with the demo model how many questions the gates save and whether they miss anything:
//   gate_trial              ten minutes of a simulated street, as fast as possible (a minute or two)
//   gate_trial 120          its first 120 seconds, as the test suite does
//   gate_trial FILE.avi     a recording: the questions in each ten seconds of it
// Further arguments replace the default gates: "{motion: true}" "{semantic: 0.98}".
// The exit code is 1 if a scripted event was missed or, with all ten minutes, less than 90 % was saved.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "examples/world/truth.h"
#include "ingest/open_source.h"
#include "service/settings/settings.h"
#include "tests/examples/scripted_street.h"
#include "tests/service/one_stream.h"

using namespace palisade;
using namespace palisade::world;

namespace {

constexpr double kRate = 10;  // pictures a second
constexpr double kEvery = 2;  // seconds from window to window
constexpr int kWhole = 600;   // seconds
constexpr std::uint64_t kSeed = 9;

// A script with long quiet spells, in which somebody comes at every phase of the one-minute brightness cycle.
std::vector<Object> script() {
  return {passer(1, Kind::kPerson, Colour::kBlack, 40, 100), passer(2, Kind::kCar, Colour::kRed, 152, 250),
          passer(3, Kind::kDog, Colour::kGreen, 263, 160, 30),
          passer(4, Kind::kTruck, Colour::kWhite, 421, 200),
          passer(5, Kind::kBicycle, Colour::kBlue, 534, 180)};
}

class StreetSource : public Source {
 public:
  explicit StreetSource(int seconds)
      : street_(script(), {.noise_sigma = 4, .light_ramp = 0.4, .flicker = 0.02, .shake = 2, .dim = 350.0},
                kSeed),
        frames_(int(seconds * kRate)) {}

  std::optional<Frame> next(const Wanted& wanted) override {
    while (number_ < frames_) {
      const int number = number_++;
      const auto pts = std::chrono::milliseconds(int(number * 1000 / kRate));
      const FrameStamp stamp{.number = std::uint64_t(number), .pts = pts, .wall = WallTime(pts)};
      if (!wanted(stamp)) continue;
      return Frame{.stamp = stamp,
                   .source_width = world::kWidth,
                   .source_height = world::kHeight,
                   .image = street_.at(number / kRate)};
    }
    return std::nullopt;
  }
  bool live() const override { return false; }

 private:
  ScriptedStreet street_;
  const int frames_;
  int number_ = 0;
};

// A time span in which an object moves: it comes, goes or both.
struct Happening {
  const Object* object;
  double from, until;
};

std::vector<Happening> happenings(const std::vector<Object>& objects, int seconds) {
  std::vector<Happening> all;
  for (const Object& object : objects) {
    for (std::size_t i = 1; i < object.knots.size(); ++i) {
      const Knot& a = object.knots[i - 1];
      const Knot& b = object.knots[i];
      if (a.x != b.x && b.t < seconds - kEvery) all.push_back({&object, a.t, b.t});
    }
  }
  return all;
}

// Whether at least three pictures of a window that was asked about show the object while it moves.
bool caught(const Happening& happening, const std::vector<std::vector<double>>& windows) {
  return std::ranges::any_of(windows, [&](const std::vector<double>& times) {
    return kMinFrames <= std::ranges::count_if(times, [&](double t) {
             return t >= happening.from && t <= happening.until &&
                    visible_fraction(*happening.object, t) >= kMinVisible;
           });
  });
}

std::vector<double> times_of(const Json& event) {
  std::vector<double> times;
  for (const Json& frame : event["data"]["frames"]) times.push_back(frame["pts_ms"].get<double>() / 1000);
  return times;
}

StreamSettings stream_with(const std::string& gate, const std::string& policy = "uniform") {
  return parse_settings(
             "streams:\n  - name: camera\n    url: street.mp4\n    pace: false\n    tasks: [{task: caption, "
             "frames: 16, span: 4s, every: 2s, policy: " +
                 policy + "}]\n    gate: " + gate + "\n",
             "trial")
      .streams[0];
}

bool try_street(EngineModel& model, int seconds, const std::string& gate) {
  const OneStream all = serve_one(model, stream_with(gate), [&](const SourceOptions&, std::stop_token) {
    return std::make_unique<StreetSource>(seconds);
  });
  std::vector<std::vector<double>> asked;
  double least_alike = 1;
  for (const Json& event : all.answers) {
    if (!event["data"].contains("unchanged_since"))
      asked.push_back(times_of(event));
    else
      least_alike = std::min(least_alike, event["data"]["window"]["similarity"].get<double>());
  }
  const StreamCounts& counts = all.counts;
  const double windows = double(counts.answered + counts.unchanged + counts.skipped);
  int missed = 0;
  const std::vector<Object> objects = script();
  const auto all_happenings = happenings(objects, seconds);
  for (const Happening& happening : all_happenings) {
    if (caught(happening, asked)) continue;
    ++missed;
    std::printf("  missed: %s at %.0f s\n", std::string(facts(happening.object->kind).name).c_str(),
                happening.from);
  }
  const double saved = 1 - double(counts.answered) / windows;
  std::printf(
      "%-48s %3.0f windows: %3lu asked, %3lu without motion, %3lu unchanged (likeness from %.3f), "
      "%lu dropped; saved %.1f %%, missed %d of %zu\n",
      gate.c_str(), windows, counts.answered, counts.skipped, counts.unchanged, least_alike, counts.dropped,
      100 * saved, missed, all_happenings.size());
  std::fflush(stdout);
  return missed == 0 && counts.dropped == 0 && counts.failed == 0 && (seconds < kWhole || saved >= 0.9);
}

bool try_recording(EngineModel& model, const std::string& file, const std::string& gate) {
  StreamSettings stream = stream_with(gate);
  stream.source.url = file;
  const OneStream all = serve_one(model, stream, open_source);
  std::map<int, std::pair<int, int>> parts;  // asked and unchanged, by ten seconds
  for (const Json& event : all.answers) {
    auto& [asked, unchanged] = parts[int(times_of(event).front() / 10)];
    (event["data"].contains("unchanged_since") ? unchanged : asked) += 1;
  }
  std::printf("%s: %lu asked, %lu without motion, %lu unchanged\n  asked/unchanged by ten seconds:",
              gate.c_str(), all.counts.answered, all.counts.skipped, all.counts.unchanged);
  for (const auto& [part, counts] : parts) std::printf(" %d:%d/%d", part * 10, counts.first, counts.second);
  std::printf("\n");
  return all.counts.failed == 0 && all.counts.dropped == 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string what = count > 1 ? arguments[1] : std::to_string(kWhole);
  const bool recording = what.find_first_not_of("0123456789") != std::string::npos;
  const auto model = load_engine_model(demo_model_folder());
  bool good = true;
  std::vector<std::string> gates{"{motion: true, semantic: 0.98, longest_silence: 2m}"};
  for (int i = 2; i < count; ++i) gates.emplace_back(arguments[i]);
  if (count > 2) gates.erase(gates.begin());
  for (const std::string& gate : gates) {
    good =
        (recording ? try_recording(*model, what, gate) : try_street(*model, std::stoi(what), gate)) && good;
  }
  return good ? 0 : 1;
}
