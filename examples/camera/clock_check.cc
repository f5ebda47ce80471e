// Checks the capture times that Palisade gives to a simulated camera's pictures: reads a stream like the
// service, draws the street again from the truth file at times around each picture's stamp, and reports the
// difference between the time that fits best and the stamp.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iostream>
#include <span>
#include <vector>

#include "examples/world/draw.h"
#include "examples/world/truth_file.h"
#include "ingest/open_source.h"
#include "ingest/source/source.h"

namespace {

using namespace palisade;
using namespace palisade::world;

constexpr int kReachMs = 200;
constexpr int kStepMs = 5;

// `shown` is RGB, `drawn` BGRx.
double distance(std::span<const std::uint8_t> shown, std::span<const std::uint8_t> drawn) {
  double sum = 0;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    sum += std::abs(shown[i] - drawn[i / 3 * 4 + (2 - i % 3)]);
  }
  return sum;
}

bool something_moves(std::span<const Object> objects, double t) {
  return std::ranges::any_of(objects, [&](const Object& object) {
    const auto before = object.x_at(t - 0.3);
    const auto after = object.x_at(t + 0.3);
    return visible_fraction(object, t) >= 1 && before && after && std::abs(*after - *before) > 40;
  });
}

// How much later than its stamp the picture was taken, in milliseconds.
int offset_of(std::span<const std::uint8_t> shown, const CameraTruth& known, double stated) {
  static const Sprites sprites(assets_folder());
  std::vector<std::uint8_t> drawn(kFrameBytes);
  Look look = known.look;
  look.noise_sigma = 0;
  Painter painter(sprites, assets_folder(), look, 0);
  double least = -1;
  int best = 0;
  for (int offset = -kReachMs; offset <= kReachMs; offset += kStepMs) {
    painter.paint(known.objects, stated + offset * 1e-3, drawn);
    const double here = distance(shown, drawn);
    if (least < 0 || here < least || (here == least && std::abs(offset) < std::abs(best))) {
      best = offset;
      least = here;
    }
  }
  return best;
}

struct Arguments {
  SourceOptions source;
  std::string truth;
  std::string camera = "street0";
  int pictures = 50;
};

// Fails if a picture's error is larger than its stamp's uncertainty, or larger than a frame interval of 0.1
// s.
int check(const Arguments& arguments) {
  const auto source = open_source(arguments.source, {});
  TruthReader truth(arguments.truth);
  std::vector<int> offsets;
  int without_report = 0;
  int over_uncertainty = 0;
  const Wanted reported = [&](const FrameStamp& stamp) {
    without_report += stamp.time_source != TimeSource::kRtcp;
    return stamp.time_source == TimeSource::kRtcp;
  };
  while (int(offsets.size()) < arguments.pictures) {
    const auto frame = source->next(reported);
    if (!frame) throw std::runtime_error("the stream ended");
    const double stated = double(frame->stamp.wall.time_since_epoch().count()) * 1e-6;
    truth.refresh();
    const CameraTruth* const known = truth.camera(arguments.camera);
    if (known == nullptr || !something_moves(known->objects, stated)) continue;
    offsets.push_back(offset_of(frame->image.u8(), *known, stated));
    over_uncertainty += std::abs(offsets.back()) >
                        frame->stamp.time_uncertainty.value_or(std::chrono::milliseconds(0)).count();
  }
  std::ranges::sort(offsets);
  std::cout << "{\"pictures\":" << offsets.size() << ",\"without_report\":" << without_report
            << ",\"median_ms\":" << offsets[offsets.size() / 2] << ",\"least_ms\":" << offsets.front()
            << ",\"most_ms\":" << offsets.back() << ",\"over_uncertainty\":" << over_uncertainty << "}\n";
  return offsets.front() > -100 && offsets.back() < 100 && over_uncertainty == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  bool gstreamer = false;
  CLI::App app("Compares the times of a simulated camera's pictures with what they show.");
  app.add_option("url", arguments.source.url, "rtsp://...")->required();
  app.add_option("truth", arguments.truth, "The camera's truth file")->required();
  app.add_option("--camera", arguments.camera, "Its name in the truth file")->capture_default_str();
  app.add_option("--pictures", arguments.pictures, "How many with something moving in them")
      ->capture_default_str();
  app.add_flag("--gstreamer", gstreamer, "Read it with GStreamer instead of FFmpeg");
  CLI11_PARSE(app, argc, argv);
  if (gstreamer) arguments.source.reader = RtspReader::kGstreamer;
  try {
    return check(arguments);
  } catch (const std::exception& error) {
    std::cerr << "palisade-camera-clock: " << error.what() << '\n';
    return 1;
  }
}
