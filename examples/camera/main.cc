// Serves simulated street cameras by RTSP and writes the truth about what they show; or writes a film of one.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "base/format.h"
#include "examples/camera/rtsp_server.h"
#include "examples/dataset/clip_file.h"

namespace {

using palisade::format;
using namespace palisade::world;

struct Arguments {
  ServerSettings server;
  int cameras = 2;
  std::uint64_t seed = 7;
  std::string truth, film;
  int seconds = 0;
};

CameraSettings camera_settings(const Arguments& arguments, int index, double start) {
  const std::uint64_t seed = arguments.seed * 1000 + static_cast<std::uint64_t>(index);
  Random random(seed);
  CameraSettings settings{format("street{}", index), seed, random_look(random), start};
  // 5 and 12 have no common divisor, so the first twelve cameras have twelve different backgrounds.
  settings.look.background = static_cast<int>((arguments.seed + 5 * static_cast<std::uint64_t>(index)) % 12);
  settings.look.noise_sigma = 1;  // as in the clips of the training data
  return settings;
}

// The street that ships: --film configs/street.mp4 --seconds 60 --bitrate 200
int write_film(const Arguments& arguments) {
  const Sprites sprites(assets_folder());
  StreetCamera camera(camera_settings(arguments, 0, 0), sprites, nullptr);
  std::vector<double> times(static_cast<std::size_t>(arguments.seconds * arguments.server.frames_per_second));
  for (std::size_t i = 0; i < times.size(); ++i)
    times[i] = double(i) / double(arguments.server.frames_per_second);
  write_clip(arguments.film, times, arguments.server.kbit_per_second,
             [&](std::size_t i, std::span<std::uint8_t> frame) { camera.draw(times[i], frame); });
  return 0;
}

int serve(const Arguments& arguments) {
  const Sprites sprites(assets_folder());
  std::unique_ptr<TruthWriter> truth;
  if (!arguments.truth.empty()) truth = std::make_unique<TruthWriter>(arguments.truth);
  std::vector<std::unique_ptr<StreetCamera>> cameras;
  RtspServer server(arguments.server);
  const double start = wall_now();
  for (int i = 0; i < arguments.cameras; ++i) {
    const CameraSettings settings = camera_settings(arguments, i, start);
    std::cerr << settings.name << ": background " << settings.look.background << ", " << settings.look.light
              << ", seed " << settings.seed << '\n';
    cameras.push_back(std::make_unique<StreetCamera>(settings, sprites, truth.get()));
    server.serve(*cameras.back());
    std::cout << server.url(*cameras.back()) << '\n';
  }
  std::cout.flush();
  server.run(arguments.seconds > 0 ? std::optional(std::chrono::seconds(arguments.seconds)) : std::nullopt);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(
      "Simulated street cameras over RTSP. Prints their addresses, one a line, when they can be seen.");
  app.add_option("--port", arguments.server.port, "Port to listen at; 0: any that is free")
      ->capture_default_str();
  app.add_option("--address", arguments.server.address, "Address to listen at")->capture_default_str();
  app.add_option("--cameras", arguments.cameras, "How many: /street0, /street1 ...")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--seed", arguments.seed, "Of the streets and their light")->capture_default_str();
  app.add_option("--fps", arguments.server.frames_per_second, "Pictures a second")
      ->check(CLI::Range(1, 60))
      ->capture_default_str();
  app.add_option("--bitrate", arguments.server.kbit_per_second, "kbit a second and camera")
      ->check(CLI::Range(40, 20000))
      ->capture_default_str();
  app.add_option("--truth", arguments.truth, "File for what is really there: JSON lines, in wall time");
  CLI::Option* const film =
      app.add_option("--film", arguments.film, "Write the first street to this MP4 file and serve nothing");
  CLI::Option* const seconds =
      app.add_option("--seconds", arguments.seconds, "Stop after so many; 0: when interrupted")
          ->check(CLI::NonNegativeNumber)
          ->capture_default_str();
  film->needs(seconds);
  try {
    app.parse(argc, argv);
    return arguments.film.empty() ? serve(arguments) : write_film(arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::cerr << "palisade-camera: " << error.what() << '\n';
    return 1;
  }
}
