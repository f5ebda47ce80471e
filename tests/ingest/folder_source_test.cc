#include "ingest/folder_source.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "ingest/feed.h"
#include "tests/ingest/feed_log.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using test::all;
using test::error_of;
using test::golden;
using test::TestFolder;

void put(const TestFolder& folder, const std::string& name, const char* picture) {
  std::filesystem::copy_file(golden(picture), folder.path() / name);
}

TEST_CASE("a folder's pictures come in the order of their names, a frame interval apart") {
  const TestFolder folder;
  put(folder, "b.PNG", "world/still01.png");
  put(folder, "a.png", "world/still00.png");
  put(folder, "c.webp", "pictures/lossy.webp");
  folder.write("notes.txt", "no picture");
  folder.write(".hidden.jpg", "no picture either");
  std::filesystem::create_directory(folder.path() / "d");
  for (const std::string& prefix : {std::string(), std::string("folder:"), std::string("file://")}) {
    CAPTURE(prefix);
    const auto source =
        open_source({.url = prefix + folder.path().string(), .frame_interval = milliseconds(250)}, {});
    CHECK_FALSE(source->live());
    CHECK(source->duration() == milliseconds(750));
    std::vector<int> widths;
    for (int i = 0; i < 3; ++i) {
      const auto frame = source->next(all);
      REQUIRE(frame.has_value());
      CHECK(frame->stamp.number == std::uint64_t(i));
      CHECK(frame->stamp.pts == milliseconds(250) * i);
      CHECK(frame->stamp.keyframe);
      CHECK(frame->stamp.time_source == TimeSource::kFile);
      CHECK_FALSE(frame->stamp.time_uncertainty.has_value());
      CHECK(std::chrono::system_clock::now() - frame->stamp.wall < std::chrono::minutes(1));
      widths.push_back(frame->source_width);
    }
    CHECK(widths[0] == widths[1]);
    CHECK(widths[0] != widths[2]);
    CHECK(source->next(all) == std::nullopt);
  }
}

TEST_CASE("a picture that cannot be read is named, one that nobody wants is not read") {
  const TestFolder folder;
  put(folder, "a.png", "world/still00.png");
  folder.write("b.jpg", "no picture");
  const SourceError error = error_of({.url = folder.path().string()});
  CHECK(error.fault() == SourceFault::kUnreadable);
  CHECK(std::string(error.what()).find("b.jpg") != std::string::npos);
  const auto source = open_source({.url = folder.path().string()}, {});
  const Wanted none = [](const FrameStamp&) { return false; };
  CHECK(source->next(none) == std::nullopt);
}

TEST_CASE("a folder without pictures, and one that is not there, say what is wrong") {
  const TestFolder folder;
  CHECK(std::string(error_of({.url = folder.path().string()}).what()).find("holds no picture") !=
        std::string::npos);
  const SourceError absent = error_of({.url = "folder:" + (folder.path() / "none").string()});
  CHECK(absent.fault() == SourceFault::kUnreadable);
  CHECK(std::string(absent.what()).find("none: cannot be listed") != std::string::npos);
}

TEST_CASE("a picture over the limit is refused") {
  const TestFolder folder;
  put(folder, "a.png", "world/still00.png");
  CHECK(error_of({.url = folder.path().string(), .max_pixels = 100}).fault() == SourceFault::kUnreadable);
}

TEST_CASE("a stop interrupts the reading of a folder") {
  const TestFolder folder;
  put(folder, "a.png", "world/still00.png");
  std::stop_source stop;
  const auto source = open_source({.url = folder.path().string()}, stop.get_token());
  stop.request_stop();
  CHECK_THROWS_AS(source->next(all), SourceError);
}

TEST_CASE("a feed gives clips of a folder and ends with it") {
  const TestFolder folder;
  for (int i = 0; i < 5; ++i) put(folder, std::to_string(i) + ".png", "world/still00.png");
  test::FeedLog log;
  FeedOptions options;
  options.stream = "folder";
  options.source = {.url = folder.path().string(), .frame_interval = milliseconds(100)};
  options.samplings = {{.count = 2, .span = milliseconds(200), .stride = milliseconds(200)}};
  options.image_size = 28;
  Feed feed(options, log.on_clip(), log.on_report());
  REQUIRE(log.wait_for(FeedState::kEnded));
  CHECK(log.clips().size() == 2);
}

}  // namespace
}  // namespace palisade
