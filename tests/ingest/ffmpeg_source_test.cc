#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "ingest/open_source.h"
#include "ingest/source/source.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using test::all;
using test::error_of;
using test::golden;

std::vector<Frame> frames_of(const std::string& path) {
  const auto source = open_source({.url = path}, {});
  std::vector<Frame> frames;
  while (auto frame = source->next(all)) frames.push_back(std::move(*frame));
  return frames;
}

TEST_CASE("every frame of a file is delivered once, in order, the last ones too") {
  const std::pair<const char*, std::size_t> clips[] = {
      {"street.mp4", 30}, {"with_audio.mp4", 10}, {"wrap.ts", 10},  {"mpeg4.avi", 10},
      {"vp8.webm", 10},   {"vp9.webm", 10},       {"h265.mkv", 10}, {"fullrange.avi", 10}};
  for (const auto& [name, count] : clips) {
    CAPTURE(name);
    const std::vector<Frame> frames = frames_of(golden(std::string("clips/") + name));
    REQUIRE(frames.size() == count);
    CHECK(frames.front().stamp.keyframe);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      CHECK(frames[i].stamp.number == i);
      CHECK(std::chrono::abs(frames[i].stamp.pts - milliseconds(100) * int(i)) <= milliseconds(1));
      CHECK(frames[i].stamp.corrupt == false);
      CHECK(frames[i].stamp.time_source == TimeSource::kFile);
      CHECK(frames[i].image.width() == frames[i].source_width);
    }
  }
}

TEST_CASE("a film that begins an hour after its time 0 does so here, and was taken when its file says") {
  for (const char* name : {"late_start.mp4", "late_start.mkv"}) {
    CAPTURE(name);
    const std::string path = golden(std::string("clips/") + name);
    CHECK(open_source({.url = path}, {})->duration() == std::chrono::seconds(3'603));
    const std::vector<Frame> frames = frames_of(path);
    REQUIRE(frames.size() == 30);
    const auto changed = std::chrono::file_clock::to_sys(std::filesystem::last_write_time(path));
    for (int i = 0; i < 30; ++i) {
      const FrameStamp& stamp = frames[std::size_t(i)].stamp;
      CHECK(stamp.pts == std::chrono::hours(1) + milliseconds(100) * i);
      CHECK(std::chrono::abs(stamp.wall - (changed - milliseconds(3'000 - 100 * i))) <= milliseconds(2));
    }
  }
}

TEST_CASE("a transport stream begins at 0 wherever its recorder's clock stood") {
  const std::string path = golden("clips/wrap.ts");
  const auto length = open_source({.url = path}, {})->duration();
  REQUIRE(length);
  CHECK(std::chrono::abs(*length - std::chrono::seconds(1)) <= milliseconds(100));
  CHECK(frames_of(path).front().stamp.pts <= milliseconds(100));
}

TEST_CASE("a frame's colours are those of ffmpeg's default conversion") {
  for (const char* name : {"street.mp4", "bt709.mp4", "fullrange.avi"}) {
    CAPTURE(name);
    const std::vector<Frame> frames = frames_of(golden(std::string("clips/") + name));
    REQUIRE(frames.size() > 5);
    const std::vector<std::byte> ppm = test::bytes_of(golden(std::string("clips/") + name + ".ppm"));
    const auto rgb = frames[5].image.u8();
    REQUIRE(ppm.size() > rgb.size());
    int most = 0;
    for (std::size_t i = 0; i < rgb.size(); ++i) {
      most = std::max(most, std::abs(int(rgb[i]) - int(ppm[ppm.size() - rgb.size() + i])));
    }
    // Instruction sets round differently.
    CHECK(most <= 2);
  }
}

TEST_CASE("a frame that nobody wants is offered once and not converted") {
  const auto source = open_source({.url = golden("clips/street.mp4")}, {});
  std::vector<std::uint64_t> offered;
  std::vector<std::uint64_t> returned;
  const Wanted third = [&](const FrameStamp& stamp) {
    offered.push_back(stamp.number);
    return stamp.number % 3 == 2;
  };
  while (const auto frame = source->next(third)) returned.push_back(frame->stamp.number);
  REQUIRE(offered.size() == 30);
  for (std::size_t i = 0; i < offered.size(); ++i) CHECK(offered[i] == i);
  CHECK(returned.size() == 10);
  CHECK(source->next(third) == std::nullopt);
}

TEST_CASE("a file's wall time is its recording time, or its last change less its length") {
  const WallTime recorded = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + std::chrono::hours(9);
  const std::vector<Frame> dated = frames_of(golden("clips/dated.mp4"));
  CHECK(dated.front().stamp.wall == recorded);
  CHECK(dated.back().stamp.wall == recorded + milliseconds(2'900));

  const test::TestFolder folder;
  const auto copy = folder.path() / "copy.mp4";
  std::filesystem::copy_file(golden("clips/street.mp4"), copy);
  const std::vector<Frame> frames = frames_of(copy.string());
  const auto age = std::chrono::system_clock::now() - frames.back().stamp.wall;
  CHECK(age > std::chrono::seconds(0));
  CHECK(age < std::chrono::minutes(1));
}

TEST_CASE("a file knows its length and is not live") {
  const auto source = open_source({.url = golden("clips/street.mp4")}, {});
  CHECK_FALSE(source->live());
  REQUIRE(source->duration().has_value());
  CHECK(*source->duration() == milliseconds(3'000));
}

TEST_CASE("a picture size that changes on the way is followed") {
  const std::vector<Frame> frames = frames_of(golden("clips/resolution_change.ts"));
  std::set<std::pair<int, int>> sizes;
  for (const Frame& frame : frames) {
    sizes.insert({frame.source_width, frame.source_height});
    CHECK(frame.image.u8().size() == std::size_t(frame.source_width) * std::size_t(frame.source_height) * 3);
  }
  CHECK(sizes == std::set<std::pair<int, int>>{{128, 96}, {160, 120}});
  CHECK(frames.size() >= 19);  // the packet at the seam counts as corrupt
}

TEST_CASE("a codec that changes on the way yields no junk pictures") {
  std::set<std::pair<int, int>> sizes;
  try {
    const auto source = open_source({.url = golden("clips/codec_change.ts")}, {});
    while (const auto frame = source->next(all)) {
      if (!frame->stamp.corrupt) sizes.insert({frame->source_width, frame->source_height});
    }
  } catch (const SourceError& e) {
    CHECK(e.fault() == SourceFault::kUnreadable);
  }
  CHECK(sizes == std::set<std::pair<int, int>>{{128, 96}});
}

TEST_CASE("frames that are damaged, or built upon a damaged one, say so") {
  const auto source = open_source({.url = golden("clips/damaged.mp4")}, {});
  std::size_t corrupt = 0;
  std::optional<std::uint64_t> first;
  const Wanted count = [&](const FrameStamp& stamp) {
    if (stamp.corrupt && !first) first = stamp.number;
    if (stamp.corrupt) ++corrupt;
    if (first) CHECK(stamp.corrupt);  // it has one key frame only
    return false;
  };
  CHECK(source->next(count) == std::nullopt);
  CHECK(corrupt > 0);
}

TEST_CASE("the frames of a truncated file are read up to the cut") {
  CHECK(frames_of(golden("clips/truncated.mp4")).size() >= 15);
}

TEST_CASE("a file without video, or without its index, says what is wrong") {
  const SourceError no_video = error_of({.url = golden("clips/audio_only.mp4")});
  CHECK(no_video.fault() == SourceFault::kUnreadable);
  CHECK(std::string(no_video.what()).find("no video") != std::string::npos);
  const SourceError no_index = error_of({.url = golden("clips/no_index.mp4")});
  CHECK(no_index.fault() == SourceFault::kUnreadable);
  CHECK(std::string(no_index.what()).find("moov") != std::string::npos);
}

TEST_CASE("a video over the limit is refused before a frame is decoded") {
  const SourceError error = error_of({.url = golden("clips/street.mp4"), .max_pixels = 128 * 96 - 1});
  CHECK(error.fault() == SourceFault::kUnreadable);
  CHECK(std::string(error.what()).find("128 x 96") != std::string::npos);
}

TEST_CASE("a small file of an enormous picture is refused, wherever its size is written") {
  for (const char* name : {"clips/bomb.mp4", "clips/bomb.ts"}) {
    CAPTURE(std::string(name));
    CHECK(error_of({.url = golden(name)}).fault() == SourceFault::kUnreadable);
  }
}

TEST_CASE("a size that grows over the limit on the way yields no picture") {
  const auto source = open_source({.url = golden("clips/resolution_change.ts"), .max_pixels = 128 * 96}, {});
  int frames = 0;
  try {
    while (const auto frame = source->next(all)) {
      CHECK(frame->source_width == 128);
      ++frames;
    }
  } catch (const SourceError& e) {
    CHECK(e.fault() == SourceFault::kUnreadable);
  }
  CHECK(frames >= 9);
}

TEST_CASE("a stop interrupts the reading of a file") {
  std::stop_source stop;
  const auto source = open_source({.url = golden("clips/street.mp4")}, stop.get_token());
  CHECK(source->next(all).has_value());
  stop.request_stop();
  try {
    source->next(all);
    FAIL("not interrupted");
  } catch (const SourceError& e) {
    CHECK(e.fault() == SourceFault::kInterrupted);
  }
}

TEST_CASE("Debian's sample videos are read in full where they are installed") {
  const std::string vtest = "/usr/share/doc/opencv-doc/examples/data/vtest.avi";
  if (!std::ifstream(vtest)) return;
  const auto source = open_source({.url = vtest}, {});
  std::size_t frames = 0;
  const Wanted count = [&](const FrameStamp&) { return ++frames == 1; };
  const auto first = source->next(count);
  REQUIRE(first.has_value());
  CHECK(first->source_width == 768);
  CHECK(first->source_height == 576);
  CHECK(source->next(count) == std::nullopt);
  CHECK(frames == 795);
}

}  // namespace
}  // namespace palisade
