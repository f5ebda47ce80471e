#include "ingest/ffmpeg/ffmpeg_bounds.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "ingest/source/source.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;

std::string number(std::uint32_t value) {
  return {char(value >> 24), char(value >> 16), char(value >> 8), char(value)};
}

std::string zeros(std::size_t count) {
  return std::string(count, '\0');
}

std::string mp4_box(const std::string& kind, const std::string& content) {
  return number(std::uint32_t(content.size() + 8)) + kind + content;
}

std::string full_box(const std::string& kind, const std::string& content, std::uint32_t flags = 0) {
  return mp4_box(kind, number(flags) + content);
}

struct ClaimingFilm {
  int tracks = 1;
  std::uint32_t pictures = 0;      // that each track's table says it has
  std::uint32_t picture_size = 1;  // 0: their sizes follow, which they do not
  std::uint32_t in_fragment = 0;   // that each of `fragments` says it has
  int fragments = 0;
  bool table_last = false;  // the table of sizes behind all others

  std::string track(int index) const {
    const std::string size = full_box("stsz", number(picture_size) + number(pictures));
    const std::string codec = mp4_box(
        "mp4v", zeros(6) + std::string("\0\1", 2) + zeros(16) + std::string("\0\x40\0\x30", 4) + zeros(12) +
                    std::string("\0\1", 2) + zeros(32) + std::string("\0\x18\xff\xff", 4));
    const std::string table =
        full_box("stsd", number(1) + codec) + full_box("stts", number(1) + number(pictures) + number(1)) +
        (table_last ? "" : size) + full_box("stsc", number(1) + number(1) + number(pictures) + number(1)) +
        full_box("stco", number(1) + number(48)) + (table_last ? size : "");
    const std::string media =
        mp4_box("mdia", full_box("mdhd", zeros(8) + number(25) + number(pictures) + zeros(4)) +
                            full_box("hdlr", zeros(4) + "vide" + zeros(13)) +
                            mp4_box("minf", full_box("vmhd", zeros(8), 1) + mp4_box("stbl", table)));
    const std::string header = full_box("tkhd",
                                        zeros(8) + number(std::uint32_t(index)) + zeros(4) + number(1000) +
                                            zeros(16) + zeros(36) + number(64 << 16) + number(48 << 16),
                                        3);
    return mp4_box("trak", header + media);
  }
  std::string bytes() const {
    std::string movie = full_box("mvhd", zeros(8) + number(25) + number(1000) + zeros(80));
    for (int i = 1; i <= tracks; ++i) movie += track(i);
    if (fragments > 0) {
      std::string defaults;
      for (int i = 1; i <= tracks; ++i)
        defaults +=
            full_box("trex", number(std::uint32_t(i)) + number(1) + number(1) + number(1) + number(0));
      movie += mp4_box("mvex", defaults);
    }
    std::string film = mp4_box("ftyp", "isom" + zeros(4) + "isommp42") + mp4_box("moov", movie);
    for (int i = 0; i < fragments; ++i) {
      const std::string piece =
          mp4_box("traf", full_box("tfhd", number(1 + std::uint32_t(i % tracks)), 0x20000) +
                              full_box("trun", number(in_fragment)));
      film += mp4_box("moof", full_box("mfhd", number(std::uint32_t(i))) + piece);
    }
    return film + mp4_box("mdat", zeros(800));
  }
};

// A Matroska file with so many empty tracks.
std::string matroska(std::size_t tracks) {
  std::string entries;
  for (std::size_t i = 0; i < tracks; ++i) entries += "\xae\x80";
  const std::string size = {'\x10' | 0, char(entries.size() >> 16), char(entries.size() >> 8),
                            char(entries.size())};
  return std::string("\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska", 16) +
         std::string("\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff", 12) + "\x16\x54\xae\x6b" + size +
         entries;
}

TEST_CASE(
    "a film that claims more pictures than it has bytes is refused by name before its tables are filled") {
  const test::TestFolder folder;
  const ClaimingFilm films[] = {
      {.tracks = 30, .pictures = 10'000'000},
      {.tracks = 8, .pictures = 10'000'000, .table_last = true},
      {.tracks = 1, .pictures = 4'000'000'000u},
      {.tracks = 1, .pictures = 10'000'000, .picture_size = 0},
      {.tracks = 30, .in_fragment = 9'000'000, .fragments = 30},
      {.tracks = 1, .in_fragment = 4'000'000'000u, .fragments = 1},
      {.tracks = 4, .in_fragment = 900'000, .fragments = 400},
  };
  for (const ClaimingFilm& film : films) {
    CAPTURE(film.tracks);
    CAPTURE(film.pictures);
    CAPTURE(film.in_fragment);
    const std::string path = folder.write("film.mp4", film.bytes());
    const SourceError error = test::error_of({.url = path});
    CHECK(error.fault() == SourceFault::kUnreadable);
    CHECK_MESSAGE(std::string(error.what()).find("made to harm") != std::string::npos,
                  std::string(error.what()));
  }
}

TEST_CASE("a container of nothing but entries is refused, and soon") {
  const test::TestFolder folder;
  for (const std::size_t tracks : {std::size_t(1'000), std::size_t(400'000)}) {
    const SourceError error = test::error_of({.url = folder.write("film.mkv", matroska(tracks))});
    CHECK(error.fault() == SourceFault::kUnreadable);
  }
}

TEST_CASE("a film that takes longer to open than it may is given up, though nothing waits") {
  const test::TestFolder folder;
  // Endless fragments without pictures.
  const std::string path =
      folder.write("film.mp4", ClaimingFilm{.tracks = 1, .in_fragment = 0, .fragments = 300'000}.bytes());
  const SourceError error = test::error_of({.url = path, .open_timeout = milliseconds(1)});
  CHECK(std::string(error.what()).find("takes longer to read than 1 ms") != std::string::npos);
}

}  // namespace
}  // namespace palisade
