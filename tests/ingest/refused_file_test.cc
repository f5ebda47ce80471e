#include "ingest/source/refused_file.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "ingest/pictures/picture.h"
#include "ingest/source/source.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using namespace std::string_literals;

struct RefusedFormat {
  std::string start;
  const char* said;  // within the message, as a picture and as a film
  const char* remedy;
};

const std::array kRefusedFormats = {
    RefusedFormat{"", "empty", "again"},
    RefusedFormat{std::string(4096, '\0'), "zeros", "again"},
    RefusedFormat{"GIF89a\1\0\1\0", "a GIF", "PNG"},
    RefusedFormat{"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"s, "BMP", "PNG"},
    RefusedFormat{"II*\0\x08\0\0\0"s, "TIFF", "PNG"},
    RefusedFormat{"MM\0*\0\0\0\x08"s, "TIFF", "PNG"},
    RefusedFormat{"\0\0\0\x18"
                  "ftypheic\0\0\0\0mif1heic"s,
                  "HEIC", "JPEG"},
    RefusedFormat{"\0\0\0\x18"
                  "ftypmif1\0\0\0\0mif1heic"s,
                  "HEIC", "JPEG"},
    RefusedFormat{"\0\0\0\x1c"
                  "ftypavif\0\0\0\0avifmif1"s,
                  "AVIF", "JPEG"},
    RefusedFormat{"\0\0\0\x18"
                  "ftypcrx \0\0\0\1crx isom"s,
                  "raw", "JPEG"},
    RefusedFormat{"FUJIFILMCCD-RAW 0201FF129504", "raw", "JPEG"},
    RefusedFormat{"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF", "PNG"},
    RefusedFormat{"<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "SVG", "PNG"},
    RefusedFormat{"<!DOCTYPE html>\n<html><body>Not found</body></html>", "web page", "again"},
    RefusedFormat{"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "Git LFS",
                  "git lfs pull"},
    RefusedFormat{"#EXTM3U\n#EXT-X-VERSION:3\nfilm0.ts\n", "playlist", "give"},
    RefusedFormat{"<?xml version=\"1.0\"?><MPD></MPD>", "playlist", "give"},
    RefusedFormat{"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa"s, "WMV", "MP4"},
    RefusedFormat{"ID3\4\0\0\0\0\0\0"s, "sound", ""},
    RefusedFormat{"RIFF\x24\0\0\0WAVEfmt "s, "sound", ""},
    RefusedFormat{"Dear reader,\nthis is a letter.\n", "a text", ""},
    RefusedFormat{"P6\n2 2\n255\n\1\2\3\4", "PNM", "PNG"},
    RefusedFormat{"PK\3\4\x14\0\0\0"s, "ZIP", "unpack"},
};

TEST_CASE("a file that is not read is named as what it is, with a remedy, as a picture and as a film") {
  const test::TestFolder folder;
  for (const RefusedFormat& refused : kRefusedFormats) {
    CAPTURE(std::string(refused.said));
    const std::string path = folder.write("file", refused.start);
    std::string as_picture;
    try {
      read_picture(path);
    } catch (const PictureError& e) {
      as_picture = e.what();
    }
    const std::string as_film = test::error_of({.url = path}).what();
    for (const std::string& message : {as_picture, as_film}) {
      CAPTURE(message);
      CHECK(message.starts_with(path + ": "));
      CHECK(message.find(refused.said) != std::string::npos);
      CHECK(message.find(refused.remedy) != std::string::npos);
      CHECK(message.find("Invalid data") == std::string::npos);
      CHECK(message.find("whitelist") == std::string::npos);
    }
  }
}

TEST_CASE("a film given as a picture is named, and a film or picture that is read is not refused") {
  for (const char* film : {"street.mp4", "h265.mkv", "wrap.ts", "mpeg4.avi", "vp8.webm"}) {
    CAPTURE(std::string(film));
    const auto bytes = test::bytes_of(test::golden(std::string("clips/") + film));
    CHECK_FALSE(refused_file(bytes).has_value());
    CHECK(refused_picture(bytes).value_or("").find("a film") == 0);
  }
  for (const char* picture : {"rgb.png", "rgb_420.jpg", "lossy.webp"}) {
    CHECK_FALSE(refused_file(test::bytes_of(test::golden(std::string("pictures/") + picture))).has_value());
  }
}

TEST_CASE("sound alone is told from a film without anything") {
  const std::string message = test::error_of({.url = test::golden("clips/audio_only.mp4")}).what();
  CHECK(message.ends_with("has no video, only sound"));
}

}  // namespace
}  // namespace palisade
