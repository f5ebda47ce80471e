#include "ingest/pictures/picture_splitter.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "ingest/pictures/picture.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using test::golden;
using test::text_of;

constexpr std::size_t kLimit = 1u << 20;

// The pictures in `bytes` if they arrive in parts of `part` bytes.
std::vector<std::string> pictures_in(const std::string& bytes, std::size_t part, std::size_t limit = kLimit) {
  PictureSplitter splitter(limit);
  std::vector<std::string> found;
  for (std::size_t at = 0; at < bytes.size(); at += part) {
    const std::string_view piece = std::string_view(bytes).substr(at, part);
    splitter.push(std::as_bytes(std::span(piece.data(), piece.size())));
    while (const auto picture = splitter.next())
      found.emplace_back(reinterpret_cast<const char*>(picture->data()), picture->size());
  }
  return found;
}

// One of the formats in which cameras send pictures, with three pictures.
std::string written(const std::string& picture, const std::string& before, const std::string& after) {
  std::string text;
  for (int i = 0; i < 3; ++i) text += before + picture + after;
  return text;
}

TEST_CASE("pictures are found however a camera writes what stands between them") {
  const std::string length = "Content-Length: ";
  for (const char* name : {"rgb_420.jpg", "rgb.png", "lossless.webp"}) {
    const std::string picture = text_of(golden(std::string("pictures/") + name));
    REQUIRE(picture.size() > 12);
    const std::string size = std::to_string(picture.size());
    const std::string forms[] = {
        written(picture, "--b\r\nContent-Type: image/jpeg\r\n" + length + size + "\r\n\r\n", "\r\n"),
        written(picture, "\r\n--b\r\nContent-Type: image/jpeg\r\n\r\n", ""),
        written(picture, "--b\nContent-type: image/jpeg\n\n", "\n"),
        written(picture, "----b\r\nX-Timestamp: 1.0\r\n\r\n", "\r\n"),
        written(picture, "--b\r\n" + length + "1\r\n\r\n", "\r\n"),
        written(picture, "--b\r\n" + length + "99999\r\n\r\n", "\r\n\r\n\r\n"),
        written(picture, "\r\n", ""),
        written(picture, "", ""),
        "welcome to this camera\r\n" + written(picture, "--\"b c\"\r\n\r\n", "\r\n--\"b c\"--"),
    };
    for (const std::string& form : forms) {
      for (const std::size_t part : {std::size_t(1), std::size_t(7), std::size_t(1400), form.size()}) {
        CAPTURE(form.substr(0, 60));
        CAPTURE(part);
        CHECK(pictures_in(form + std::string(16, ' '), part) == std::vector<std::string>(3, picture));
      }
    }
  }
}

TEST_CASE("a picture that is cut off costs none but itself and perhaps the next") {
  const std::string picture = text_of(golden("pictures/rgb_420.jpg"));
  for (std::size_t cut = 1; cut < picture.size(); cut += 37) {
    CAPTURE(cut);
    const std::string text = "--b\r\n\r\n" + picture.substr(0, cut) +
                             written(picture, "\r\n--b\r\n\r\n", "\r\n") + std::string(16, ' ');
    const auto found = pictures_in(text, 512);
    REQUIRE(found.size() >= 2);
    CHECK(found.back() == picture);
    CHECK(found[found.size() - 2] == picture);
  }
}

TEST_CASE("a JPEG whose end is missing ends where the next one begins") {
  std::string picture = text_of(golden("pictures/rgb_420.jpg"));
  picture.resize(picture.size() - 2);
  const auto found = pictures_in(written(picture, "--b\r\n\r\n", "\r\n") + std::string(16, ' '), 100);
  REQUIRE(found.size() == 2);
  CHECK(found[0].starts_with(picture));
}

TEST_CASE("a picture without an end is given up at the limit, and those behind it are found") {
  const std::string picture = text_of(golden("pictures/rgb_420.jpg"));
  const std::string endless = picture.substr(0, picture.size() - 2) + std::string(200'000, 'x');
  const auto found = pictures_in(endless + picture + std::string(16, ' '), 4096, 100'000);
  REQUIRE_FALSE(found.empty());
  CHECK(found.back() == picture);
}

TEST_CASE("bytes that are no pictures give none") {
  CHECK(pictures_in(std::string(100'000, '\xff'), 1000).empty());
  CHECK(pictures_in(std::string(100'000, '\0'), 1000).empty());
  std::string starts;
  for (int i = 0; i < 20'000; ++i) starts += "\xff\xd8\xff";
  CHECK(pictures_in(starts, 1000).empty());
  CHECK(pictures_in(std::string("RIFF\xff\xff\xff\xffWEBP") + std::string(1000, 'x'), 100).empty());
}

}  // namespace
}  // namespace palisade
