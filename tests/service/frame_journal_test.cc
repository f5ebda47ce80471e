#include "service/journal/frame_journal.h"

#include <doctest/doctest.h>

#include <fstream>
#include <random>
#include <thread>

#include "base/sha256.h"
#include "base/time_text.h"
#include "base/ulid.h"
#include "frames/clip.h"
#include "service/journal/contact_sheet.h"
#include "service/journal/frame_files.h"
#include "tests/service/state_folder.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

Image noise(unsigned seed, int side = 32) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> rgb(std::size_t(side) * std::size_t(side) * 3);
  for (std::uint8_t& sample : rgb) sample = std::uint8_t(random());
  return {side, side, std::move(rgb)};
}

Image fractions(int side = 8) {
  std::vector<float> rgb(std::size_t(side) * std::size_t(side) * 3);
  for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = float(i) * 0.37F;
  return {side, side, std::move(rgb)};
}

Clip journal_clip_of(const std::vector<Image>& images) {
  Clip clip;
  for (const Image& image : images) clip.frames.push_back({.stream = "door", .image = image});
  return clip;
}

std::vector<KeptPicture> pictures_of(const Clip& clip, FrameStorage how) {
  std::vector<KeptPicture> pictures;
  for (const Frame& frame : clip.frames)
    pictures.push_back({sha256_hex(frame.image.bytes()), frame.image, how});
  return pictures;
}

std::vector<std::string> hashes_of(const Clip& clip) {
  std::vector<std::string> hashes;
  for (const KeptPicture& picture : pictures_of(clip, FrameStorage::kJpeg)) hashes.push_back(picture.sha256);
  return hashes;
}

std::string id_now() {
  return UlidSource().next(wall_now());
}

std::size_t frames_in(const std::filesystem::path& file) {
  return std::size_t(open_database(file, Access::kRead).execAndGet("SELECT count(*) FROM frame").getInt());
}

void make_file(const std::filesystem::path& path, std::size_t bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << std::string(bytes, 'x');
}

}  // namespace

TEST_CASE("exact frames come back to the bit, also with fractions; JPEG nearly so") {
  const StateFolder folder;
  const Clip clip = journal_clip_of({noise(1), noise(2), noise(1), fractions()});
  {
    FrameJournal journal({.folder = folder.path()});
    CHECK(journal.keep(pictures_of(clip, FrameStorage::kExact)));
  }
  const auto frames = stored_frames(folder.path(), id_now(), hashes_of(clip));
  REQUIRE(frames.size() == 4);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    REQUIRE(frames[i]);
    CHECK(sha256_hex(decode_frame(*frames[i]).bytes()) == hashes_of(clip)[i]);
  }
  const Image smooth(64, 64, std::vector<std::uint8_t>(64 * 64 * 3, 77));
  const EncodedFrame jpeg = encode_frame(smooth, FrameStorage::kJpeg);
  const Image back = decode_frame(jpeg);
  for (const std::uint8_t sample : back.u8()) CHECK(std::abs(int(sample) - 77) <= 2);
}

TEST_CASE("a frame is stored once, however many windows it is in, and in each form that is asked for") {
  const StateFolder folder;
  {
    FrameJournal journal({.folder = folder.path()});
    for (int window = 0; window < 5; ++window) {
      const Clip clip = journal_clip_of({noise(1), noise(2), noise(unsigned(window))});
      CHECK(journal.keep(pictures_of(clip, FrameStorage::kJpeg)));
    }
    const Clip clip = journal_clip_of({noise(1)});
    CHECK(journal.keep(pictures_of(clip, FrameStorage::kExact)));
  }
  const auto files = files_of_hour(folder.path(), wall_now());
  CHECK(frames_in(files.back()) == 6);  // five shades and the exact one
  // The exact one is preferred.
  const auto frames = stored_frames(folder.path(), id_now(), hashes_of(journal_clip_of({noise(1)})));
  CHECK(frames.at(0)->format == "webp");
}

TEST_CASE("what waits is bounded, and what does not fit is said") {
  const StateFolder folder;
  FrameJournal journal({.folder = folder.path(), .waiting_bytes = 10'000});
  const Clip clip = journal_clip_of({noise(1, 64)});
  CHECK_FALSE(journal.keep(pictures_of(clip, FrameStorage::kJpeg)));
}

TEST_CASE("frames that cannot be stored are said to be lost, and are kept again once they can be") {
  const StateFolder folder;
  std::ofstream(frames_folder(folder.path())) << "in the way";
  FrameJournal journal({.folder = folder.path()});
  const Clip clip = journal_clip_of({noise(1)});
  journal.keep(pictures_of(clip, FrameStorage::kJpeg));
  bool said = false;
  for (int i = 0; i < 500 && !said; ++i, std::this_thread::sleep_for(10ms))
    said = !journal.keep(pictures_of(clip, FrameStorage::kJpeg));
  CHECK(said);
}

TEST_CASE("frames of kept events outlive the others") {
  const StateFolder folder;
  const Clip clip = journal_clip_of({noise(1), noise(2)});
  {
    FrameJournal journal({.folder = folder.path()});
    journal.keep(pictures_of(clip, FrameStorage::kExact));
  }
  const std::string id = id_now();
  CHECK(keep_frames(folder.path(), id, {hashes_of(clip)[0], "gone"}) == 1);
  for (const auto& file : files_of_hour(folder.path(), wall_now())) std::filesystem::remove(file);
  const auto frames = stored_frames(folder.path(), id, hashes_of(clip));
  CHECK(frames[0].has_value());
  CHECK_FALSE(frames[1].has_value());
}

TEST_CASE("old frames go by whole hours, oldest first, and more of them where there are too many") {
  const StateFolder folder;
  const auto frames = frames_folder(folder.path());
  const WallTime now = *time_of("2026-11-30T09:30");
  for (const char* const hour : {"2026112209", "2026112308", "2026112309", "2026112910", "2026113009"})
    make_file(frames / (std::string(hour) + ".db"), 1000);
  make_file(frames / "kept.db", 1000);
  const FrameJournalOptions week{.folder = folder.path()};
  CHECK(remove_old_frames(week, now, 0.5) == 2);  // the 23rd at nine is a week ago, and stays
  CHECK_FALSE(std::filesystem::exists(frames / "2026112308.db"));
  CHECK(std::filesystem::exists(frames / "2026112309.db"));
  CHECK(remove_old_frames(week, now, 0.05) == 1);  // the disk is nearly full
  const FrameJournalOptions small{.folder = folder.path(), .bytes = 2500};
  CHECK(remove_old_frames(small, now, 0.5) == 1);
  CHECK(remove_old_frames({.folder = folder.path(), .bytes = 1}, now, 0.01) == 0);
  CHECK(std::filesystem::exists(frames / "2026113009.db"));
  CHECK(std::filesystem::exists(frames / "kept.db"));
}

TEST_CASE("a contact sheet shows the frames in order, grey where one is gone") {
  std::vector<std::optional<EncodedFrame>> frames(6);
  for (unsigned i = 0; i < 5; ++i) frames[i] = encode_frame(noise(i, 10), FrameStorage::kExact);
  const Image sheet = contact_sheet(frames);
  CHECK(sheet.width() == 4 * 14 + 4);
  CHECK(sheet.height() == 2 * 14 + 4);
  const auto pixel = [&](int x, int y) {
    return sheet.u8()[(std::size_t(y) * std::size_t(sheet.width()) + std::size_t(x)) * 3];
  };
  CHECK(pixel(4, 4) == noise(0, 10).u8()[0]);
  CHECK(pixel(4 + 14, 4) == noise(1, 10).u8()[0]);
  CHECK(pixel(4, 18) == noise(4, 10).u8()[0]);
  CHECK(pixel(18, 18) == 128);
  CHECK_THROWS_AS(contact_sheet(std::vector<std::optional<EncodedFrame>>(3)), Error);
}

TEST_CASE("what is erased leaves no frame behind, kept or not, and others stay") {
  const StateFolder folder;
  const Clip clip = journal_clip_of({noise(1), noise(2), noise(3)});
  const auto hashes = hashes_of(clip);
  {
    FrameJournal journal({.folder = folder.path()});
    journal.keep(pictures_of(clip, FrameStorage::kExact));
  }
  const std::string id = id_now();
  keep_frames(folder.path(), id, hashes);
  const std::string bytes = stored_frames(folder.path(), id, hashes)[0]->bytes.substr(40, 200);
  erase_frames(folder.path(), {{.id = id, .sha256s = {hashes[0], hashes[1]}}});
  const auto frames = stored_frames(folder.path(), id, hashes);
  CHECK_FALSE(frames[0].has_value());
  CHECK_FALSE(frames[1].has_value());
  CHECK(frames[2].has_value());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string all{std::istreambuf_iterator<char>(file), {}};
    CHECK(all.find(bytes) == std::string::npos);
  }
}
