#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "frames/orientation.h"
#include "ingest/open_source.h"
#include "ingest/source/sei_orientation.h"
#include "ingest/source/source.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/test_files.h"
#include "tests/ingest/turned_files.h"

namespace palisade {
namespace {

using test::bytes_of;
using test::FileBytes;
using test::golden;
using test::SeiMessage;

struct TurnedFilm {
  std::vector<Image> pictures;
  std::string remark;
};

TurnedFilm film_of(const std::string& url) {
  const auto source = open_source({.url = url, .allow_launch = true}, {});
  TurnedFilm film;
  while (const auto frame = source->next(test::all)) {
    CHECK(frame->source_width == frame->image.width());
    CHECK(frame->source_height == frame->image.height());
    film.pictures.push_back(frame->image);
  }
  film.remark = source->remark();
  return film;
}

std::string line_of(const std::string& path, const char* decoder = "decodebin") {
  return "gst:filesrc location=\"" + path + "\" ! " + decoder +
         " ! videoconvert ! appsink name=palisade sync=false";
}

bool same_pixels(const Image& a, const Image& b) {
  return a.width() == b.width() && a.height() == b.height() && std::ranges::equal(a.u8(), b.u8());
}

std::string save(const test::TestFolder& folder, const std::string& name, const FileBytes& file) {
  return folder.write(name, std::string_view(reinterpret_cast<const char*>(file.data()), file.size()));
}

// Checks that each picture of `film` is that of the plain film, turned as the list says.
void check_turned(const TurnedFilm& film, const TurnedFilm& plain, const std::vector<Orientation>& turns) {
  REQUIRE(film.pictures.size() == plain.pictures.size());
  REQUIRE(turns.size() == plain.pictures.size());
  std::vector<std::size_t> wrong;
  for (std::size_t i = 0; i < turns.size(); ++i) {
    if (!same_pixels(film.pictures[i], upright(plain.pictures[i], turns[i]))) wrong.push_back(i);
  }
  CAPTURE(wrong.empty() ? 0 : wrong.front());
  CHECK(wrong.size() == 0);
}

std::vector<Orientation> all_of(const TurnedFilm& plain, Orientation orientation) {
  return std::vector(plain.pictures.size(), orientation);
}

TEST_CASE("a film stands upright by its display matrix, mirrored or not, with both readers") {
  const std::array<std::pair<test::MatrixNumbers, Orientation>, 8> matrices = {{
      {{1, 0, 0, 1}, Orientation::kUpright},
      {{-1, 0, 0, 1}, Orientation::kMirror},
      {{-1, 0, 0, -1}, Orientation::kHalfTurn},
      {{1, 0, 0, -1}, Orientation::kFlip},
      {{0, 1, 1, 0}, Orientation::kTranspose},
      {{0, 1, -1, 0}, Orientation::kTurnRight},
      {{0, -1, -1, 0}, Orientation::kTransverse},
      {{0, -1, 1, 0}, Orientation::kTurnLeft},
  }};
  const test::TestFolder folder;
  const std::string street = golden("clips/street.mp4");
  const TurnedFilm plain = film_of(street);
  for (const auto& [numbers, orientation] : matrices) {
    CAPTURE(int(orientation));
    const std::string path = save(folder, "turned.mp4", test::mp4_with_matrix(bytes_of(street), numbers));
    const TurnedFilm film = film_of(path);
    CHECK(film.remark.empty());
    check_turned(film, plain, all_of(plain, orientation));
    // GStreamer's demuxer has no name for this orientation and does not report it.
    if (orientation == Orientation::kTransverse) continue;
    check_turned(film_of(line_of(path)), plain, all_of(plain, orientation));
  }
}

TEST_CASE("a film that is to be turned by another angle is turned by the nearest quarter, which is told") {
  const std::array<std::pair<test::MatrixNumbers, Orientation>, 4> matrices = {{
      {{0.94, 0.34, -0.34, 0.94}, Orientation::kUpright},     // 20 degrees
      {{0.17, 0.98, -0.98, 0.17}, Orientation::kTurnRight},   // 80 degrees
      {{-0.94, 0.34, -0.34, -0.94}, Orientation::kHalfTurn},  // 160 degrees
      {{0, 0, 0, 0}, Orientation::kUpright},
  }};
  const test::TestFolder folder;
  const std::string street = golden("clips/street.mp4");
  const TurnedFilm plain = film_of(street);
  for (const auto& [numbers, orientation] : matrices) {
    CAPTURE(int(orientation));
    const TurnedFilm film =
        film_of(save(folder, "slant.mp4", test::mp4_with_matrix(bytes_of(street), numbers)));
    CHECK(film.remark != "");
    check_turned(film, plain, all_of(plain, orientation));
  }
}

TEST_CASE("a Matroska film whose projection is rolled stands upright") {
  const TurnedFilm plain = film_of(golden("clips/plain.mkv"));
  REQUIRE(plain.pictures.size() == 5);
  check_turned(film_of(golden("clips/rolled.mkv")), plain, all_of(plain, Orientation::kTurnLeft));
}

struct CodecCase {
  int codec;
  const char* file;
  const char* line;  // of GStreamer
};
constexpr std::array<CodecCase, 2> kCodecCases = {{
    {264, "clips/plain.h264", "h264parse ! avdec_h264"},
    {265, "clips/plain.h265", "h265parse ! avdec_h265"},
}};

TEST_CASE("a stream stands upright by its codec's messages, which last until the next sequence") {
  const std::array<std::pair<SeiMessage, Orientation>, 8> messages = {{
      {{.turns = 0}, Orientation::kUpright},
      {{.turns = 1}, Orientation::kTurnLeft},
      {{.turns = 2}, Orientation::kHalfTurn},
      {{.turns = 3}, Orientation::kTurnRight},
      {{.mirrored = true}, Orientation::kMirror},
      {{.flipped = true}, Orientation::kFlip},
      {{.mirrored = true, .turns = 1}, Orientation::kTranspose},
      {{.mirrored = true, .flipped = true, .turns = 1}, Orientation::kTurnRight},
  }};
  const test::TestFolder folder;
  for (const CodecCase& coded : kCodecCases) {
    CAPTURE(coded.codec);
    const FileBytes stream = bytes_of(golden(coded.file));
    const TurnedFilm plain = film_of(golden(coded.file));
    REQUIRE(plain.pictures.size() == 15);
    for (const auto& [message, orientation] : messages) {
      CAPTURE(int(orientation));
      // The first sequence, of five pictures, has no message. Nor has the third, whose message could be at
      // its second picture.
      const FileBytes turned = test::with_unit(stream, coded.codec, 5, test::sei_unit(coded.codec, message));
      const std::string path =
          save(folder, "turned." + std::string(coded.codec == 264 ? "h264" : "h265"), turned);
      std::vector<Orientation> turns = all_of(plain, Orientation::kUpright);
      std::fill(turns.begin() + 5, turns.begin() + 11, orientation);
      check_turned(film_of(path), plain, turns);
      check_turned(film_of(line_of(path, coded.line)), plain, turns);
    }
  }
}

TEST_CASE("a message for one picture turns that one alone, one that takes it back ends it") {
  const test::TestFolder folder;
  for (const CodecCase& coded : kCodecCases) {
    CAPTURE(coded.codec);
    const auto unit = [&](const SeiMessage& message) { return test::sei_unit(coded.codec, message); };
    FileBytes stream = bytes_of(golden(coded.file));
    stream = test::with_unit(stream, coded.codec, 0, unit({.turns = 2, .lasts = false}));
    stream = test::with_unit(stream, coded.codec, 5, unit({.turns = 1}));
    stream = test::with_unit(stream, coded.codec, 10, unit({.cancel = true}));
    const TurnedFilm plain = film_of(golden(coded.file));
    std::vector<Orientation> turns = all_of(plain, Orientation::kUpright);
    turns[0] = Orientation::kHalfTurn;
    std::fill(turns.begin() + 5, turns.begin() + 10, Orientation::kTurnLeft);
    const std::string path = save(folder, "one." + std::string(coded.codec == 264 ? "h264" : "h265"), stream);
    check_turned(film_of(path), plain, turns);
  }
}

TEST_CASE("messages are found in an MP4's units and behind their pictures, too, with both readers") {
  const TurnedFilm plain = film_of(golden("clips/plain.h264"));
  // Written by FFmpeg 5.1: except in the first sequence, the message is behind the sequence's first picture.
  const std::string path = golden("clips/sei.mp4");
  check_turned(film_of(path), plain, all_of(plain, Orientation::kTurnLeft));
  check_turned(film_of(line_of(path)), plain, all_of(plain, Orientation::kTurnLeft));
}

TEST_CASE("whatever bytes a packet has, its messages give an orientation or nothing") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (const int length_bytes : {0, 1, 2, 4}) {
    for (const auto codec : {SeiOrientation::Codec::kH264, SeiOrientation::Codec::kH265}) {
      SeiOrientation messages(codec, length_bytes);
      for (int i = 0; i < 3'000; ++i) {
        FileBytes packet(random() % 60);
        // Mostly bytes with a meaning: zeros, start codes, types and sizes.
        constexpr int kTelling[] = {0, 0, 0, 1, 3, 6, 7, 0x4e, 47, 255, 0x42};
        for (std::byte& byte : packet)
          byte =
              std::byte(random() % 4 == 0 ? int(random() % 256) : kTelling[random() % std::size(kTelling)]);
        const int orientation = int(messages.next(packet).value_or(Orientation::kUpright));
        CHECK((orientation >= 1 && orientation <= 8));
      }
    }
  }
}

TEST_CASE("a pipeline that turns its pictures itself is believed") {
  const test::TestFolder folder;
  const FileBytes file = test::mp4_with_matrix(bytes_of(golden("clips/street.mp4")), {0, 1, -1, 0});
  const std::string path = save(folder, "turned.mp4", file);
  for (const char* how : {"auto", "90r"}) {
    CAPTURE(std::string(how));
    const TurnedFilm film = film_of("gst:filesrc location=\"" + path +
                                    "\" ! decodebin ! videoconvert ! videoflip video-direction=" + how +
                                    " ! videoconvert ! appsink name=palisade sync=false");
    REQUIRE(film.pictures.size() == 30);
    CHECK(film.pictures[0].width() == 96);
  }
}

}  // namespace
}  // namespace palisade
