#include "ingest/pictures/folder_source.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "base/format.h"
#include "base/natural_order.h"
#include "ingest/feed.h"
#include "ingest/open_source.h"
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

TEST_CASE(
    "pictures that cannot be read, and those of other kinds, are skipped and told; the others keep their "
    "times") {
  const TestFolder folder;
  put(folder, "1.png", "world/still00.png");
  folder.write("2.jpg", "");
  folder.write("3.jpg", "no picture");
  put(folder, "10.png", "world/still01.png");
  put(folder, "11.png", "world/still01.png");
  folder.write("photo.HEIC", "not looked into");
  std::filesystem::create_directory(folder.path() / "folder.jpg");
  const auto source = open_source({.url = folder.path().string(), .frame_interval = milliseconds(100)}, {});
  std::filesystem::remove(folder.path() / "11.png");  // since it was listed
  CHECK(source->take_skipped().text().find("a picture was skipped: ") == 0);
  CHECK(source->next(all)->stamp.pts == milliseconds(0));
  CHECK(source->take_skipped().pictures == 0);
  CHECK(source->next(all)->stamp.pts == milliseconds(300));
  SkippedPictures skipped = source->take_skipped();
  CHECK(skipped.pictures == 2);
  CHECK(skipped.last.find("3.jpg: not a picture") != std::string::npos);
  CHECK(source->next(all) == std::nullopt);
  CHECK(source->take_skipped().last.find("11.png") != std::string::npos);
}

TEST_CASE("a picture that nobody wants is not decoded") {
  const TestFolder folder;
  const std::vector<std::byte> file = test::bytes_of(golden("pictures/rgb_420.jpg"));
  folder.write("b.jpg", std::string_view(reinterpret_cast<const char*>(file.data()), file.size() / 2));
  const auto source = open_source({.url = folder.path().string()}, {});
  const Wanted none = [](const FrameStamp&) { return false; };
  CHECK(source->next(none) == std::nullopt);
  CHECK(source->take_skipped().pictures == 0);
}

TEST_CASE("a folder of which nothing can be read says so, with a reason") {
  const TestFolder folder;
  folder.write("1.jpg", "");
  folder.write("2.jpg", "no picture");
  const SourceError error = error_of({.url = folder.path().string()});
  CHECK(error.fault() == SourceFault::kUnreadable);
  CHECK(std::string(error.what()).find("not one picture of it can be read") != std::string::npos);
  CHECK(std::string(error.what()).find("2.jpg") != std::string::npos);
  const TestFolder others;
  others.write("a.heic", "");
  others.write("b.heic", "");
  CHECK(std::string(error_of({.url = others.path().string()}).what()).find("2 pictures were skipped") !=
        std::string::npos);
}

TEST_CASE("a folder's pictures come as people count") {
  const TestFolder folder;
  for (const char* name : {"frame10.png", "frame9.png", "frame2.png", "frame1.png", "frame010b.png"})
    put(folder, name, "world/still00.png");
  put(folder, "Frame3.jpg", "pictures/rgb_420.jpg");
  const auto source = open_source({.url = folder.path().string()}, {});
  std::vector<int> widths;
  while (const auto frame = source->next(all)) widths.push_back(frame->source_width);
  REQUIRE(widths.size() == 6);
  CHECK(widths[2] == 37);
}

TEST_CASE("the natural order counts numbers of any length, whatever zeros, case and endings") {
  const std::vector<std::string> ordered = {"",
                                            "1.jpg",
                                            "2.png",
                                            "002b.jpg",
                                            "3.jpg",
                                            "10.jpg",
                                            "99999999999999999999998.jpg",
                                            "99999999999999999999999.jpg",
                                            "a.jpg",
                                            "A1.jpg",
                                            "a1-2.jpg",
                                            "a1-10.jpg",
                                            "a1b.jpg",
                                            "a02.jpg",
                                            "a10.jpg",
                                            "IMG_9.JPG",
                                            "img_10.jpg",
                                            "IMG_011.jpg",
                                            "z.jpg",
                                            "\xc3\xa4"
                                            "1.jpg",
                                            "\xc3\xa4"
                                            "2.jpg",
                                            "\xc3\xb6"
                                            "1.jpg"};
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    for (std::size_t k = 0; k < ordered.size(); ++k) {
      CAPTURE(ordered[i]);
      CAPTURE(ordered[k]);
      CHECK(comes_before(ordered[i], ordered[k]) == (i < k));
    }
  }
  CHECK(comes_before("1.jpg", "01.jpg") != comes_before("01.jpg", "1.jpg"));
  CHECK(comes_before("A.jpg", "a.jpg") != comes_before("a.jpg", "A.jpg"));
}

TEST_CASE("a feed tells what it skips, at a bounded rate, and not each size of pictures that all differ") {
  const TestFolder folder;
  for (int i = 0; i < 40; ++i) {
    const std::string name = std::to_string(i);
    if (i % 4 == 3) folder.write(name + ".jpg", "broken");
    if (i % 4 == 1) put(folder, name + ".jpg", "pictures/rgb_420.jpg");
    if (i % 2 == 0) put(folder, name + ".png", "world/still00.png");
  }
  test::FeedLog log;
  FeedOptions options;
  options.stream = "folder";
  options.source = {.url = folder.path().string(), .frame_interval = milliseconds(100)};
  options.samplings = {{.count = 1, .span = milliseconds(0), .stride = milliseconds(100)}};
  options.image_size = 28;
  Feed feed(options, log.on_clip(), log.on_report());
  REQUIRE(log.wait_for(FeedState::kEnded));
  CHECK(log.clips().size() == 30);
  std::uint64_t online = 0;
  std::uint64_t skipped = 0;
  for (const FeedReport& report : log.reports()) {
    if (report.state == FeedState::kOnline) ++online;
    if (report.reason.find("skipped") != std::string::npos) ++skipped;
  }
  CHECK(skipped == 2);  // the first one, and the rest at the end
  CHECK(online == 4);   // the beginning, another size, and these
}

TEST_CASE("a folder without pictures, and one that is not there, say what is wrong") {
  const TestFolder folder;
  CHECK(std::string(error_of({.url = folder.path().string()}).what()).find("holds no picture") !=
        std::string::npos);
  const SourceError absent = error_of({.url = "folder:" + (folder.path() / "none").string()});
  CHECK(absent.fault() == SourceFault::kUnreadable);
  CHECK(std::string(absent.what()).find("none: cannot be listed") != std::string::npos);
}

TEST_CASE("a picture over the limit is not read") {
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
  for (int i = 0; i < 5; ++i) put(folder, format("{}.png", i), "world/still00.png");
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
