#include "examples/world/truth_file.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/format.h"
#include "examples/world/caption.h"
#include "examples/world/street.h"
#include "tests/examples/golden_world.h"

using palisade::format;
using namespace palisade::world;

namespace {

struct TemporaryFile {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / format("palisade_truth_{}.jsonl", getpid());
  ~TemporaryFile() { std::filesystem::remove(path); }
};

}  // namespace

TEST_CASE("a reader of the truth follows the writer and computes the same windows in wall time") {
  const TemporaryFile file;
  TruthReader reader(file.path);
  reader.refresh();
  CHECK(reader.camera("street0") == nullptr);

  constexpr double kStart = 1'790'000'000.25;
  const std::uint64_t seed = 7;
  CAPTURE(seed);
  Street street(seed, 0);
  TruthWriter writer(file.path);
  writer.scene("street0", kStart, Look{});
  std::vector<Object> all;
  for (int second = 0; second < 60; ++second) {
    for (const Object& object : street.advance(second + 1)) {
      writer.object("street0", kStart, object);
      all.push_back(object);
    }
    if (second < 5) continue;
    reader.refresh();
    std::vector<double> scene_times, wall_times;
    for (int i = 0; i < 16; ++i) {
      scene_times.push_back(second - 4 + i * 4 / 15.0);
      wall_times.push_back(kStart + scene_times.back());
    }
    REQUIRE(reader.camera("street0") != nullptr);
    CHECK(reader.camera("street0")->since == kStart);
    CHECK(window_caption(window_truth(reader.camera("street0")->objects, wall_times)) ==
          window_caption(window_truth(all, scene_times)));
  }
}

TEST_CASE("a file that was begun anew is read from its start") {
  const TemporaryFile file;
  TruthReader reader(file.path);
  {
    TruthWriter writer(file.path);
    writer.scene("street0", 1000, Look{});
    for (const Object& object : Street(1, 0).advance(30)) writer.object("street0", 1000, object);
  }
  reader.refresh();
  REQUIRE(reader.camera("street0") != nullptr);
  CHECK_FALSE(reader.camera("street0")->objects.empty());
  TruthWriter writer(file.path);
  writer.scene("street0", 2000, Look{});
  reader.refresh();
  CHECK(reader.camera("street0")->since == 2000);
  CHECK(reader.camera("street0")->objects.empty());
}
