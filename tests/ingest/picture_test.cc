#include "ingest/pictures/picture.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using test::bytes_of;
using test::golden;

struct Ppm {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;
};

Ppm read_ppm(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string magic;
  int most = 0;
  Ppm ppm;
  in >> magic >> ppm.width >> ppm.height >> most;
  in.get();
  ppm.rgb.resize(std::size_t(ppm.width) * std::size_t(ppm.height) * 3);
  in.read(reinterpret_cast<char*>(ppm.rgb.data()), std::streamsize(ppm.rgb.size()));
  return ppm;
}

int largest_difference(const Image& image, const Ppm& expected) {
  if (image.width() != expected.width || image.height() != expected.height) return 256;
  int most = 0;
  for (std::size_t i = 0; i < expected.rgb.size(); ++i) {
    most = std::max(most, std::abs(int(image.u8()[i]) - int(expected.rgb[i])));
  }
  return most;
}

std::vector<std::filesystem::path> golden_pictures() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(golden("pictures"))) {
    const std::filesystem::path expected = entry.path().string() + ".ppm";
    if (std::filesystem::exists(expected)) found.push_back(entry.path());
  }
  return found;
}

std::string error_of(std::span<const std::byte> file, const PictureLimits& limits = {}) {
  try {
    decode_picture(file, limits);
  } catch (const PictureError& e) {
    return e.what();
  }
  return "";
}

TEST_CASE("every kind of JPEG, PNG and WebP decodes to the pixels that Pillow gives") {
  const auto pictures = golden_pictures();
  CHECK(pictures.size() == 30);
  for (const auto& path : pictures) {
    CAPTURE(path.filename().string());
    CHECK(looks_like_picture(bytes_of(path)));
    CHECK(largest_difference(read_picture(path), read_ppm(path.string() + ".ppm")) == 0);
  }
}

TEST_CASE("the reference pictures are read, whatever their kind") {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(golden("reference/images"))) {
    if (entry.path().extension() != ".png") continue;
    CAPTURE(entry.path().filename().string());
    CHECK(!read_picture(entry.path()).empty());
    ++count;
  }
  CHECK(count == 24);
}

TEST_CASE("a file that is no JPEG, PNG or WebP is refused by its first bytes") {
  const std::string texts[] = {"",
                               "x",
                               "GIF89a........",
                               "BM..............",
                               "RIFF....AVI ....",
                               "<svg></svg>",
                               std::string("\0\0\2\0\0\0\0\0\0\0\0\0\xff\x7f\xff\x7f\x20\0", 18)};
  for (const std::string& text : texts) {
    CAPTURE(text);
    CHECK(error_of(std::as_bytes(std::span(text))).starts_with("not a picture"));
    CHECK_FALSE(looks_like_picture(std::as_bytes(std::span(text))));
  }
}

TEST_CASE("an animation is refused with a remedy") {
  CHECK(error_of(bytes_of(golden("pictures/animated.webp"))).find("animation") != std::string::npos);
}

// The file with another picture size in its header, whose place depends on the format.
std::vector<std::byte> with_size(const std::string& name, int width, int height) {
  std::vector<std::byte> file = bytes_of(golden("pictures/" + name));
  const auto put = [&](std::size_t at, int value, int bytes) {
    for (int i = 0; i < bytes; ++i)
      file[at + std::size_t(i)] = std::byte(value >> (8 * (bytes - 1 - i)) & 255);
  };
  if (name.ends_with(".png")) {
    put(16, width, 4);
    put(20, height, 4);
    return file;
  }
  for (std::size_t i = 0; i + 9 < file.size(); ++i) {
    if (file[i] == std::byte(0xff) && (file[i + 1] == std::byte(0xc0) || file[i + 1] == std::byte(0xc2))) {
      put(i + 5, height, 2);
      put(i + 7, width, 2);
      return file;
    }
  }
  FAIL("no frame header");
  return file;
}

TEST_CASE("a picture over the limits is refused on its header") {
  for (const char* name : {"rgb.png", "interlaced.png", "rgb_420.jpg", "progressive.jpg"}) {
    CAPTURE(name);
    CHECK(error_of(with_size(name, 16000, 16000)).find("16000 x 16000") != std::string::npos);
    CHECK(error_of(with_size(name, 1, 16385)).find("over the limit") != std::string::npos);
    CHECK(error_of(with_size(name, 0, 9)) != "");
  }
  CHECK(error_of(with_size("rgb.png", 0x7fffffff, 0x7fffffff)).find("over the limit") != std::string::npos);
  CHECK(error_of(bytes_of(golden("pictures/lossy.webp")), {.max_pixels = 1000}).find("over the limit") !=
        std::string::npos);
  CHECK(error_of(bytes_of(golden("pictures/rgb.png")), {.max_bytes = 100}).find("bytes") !=
        std::string::npos);
}

// A valid progressive JPEG whose last scan is repeated: a small file that takes long to decode.
std::vector<std::byte> many_scans(int scans) {
  std::vector<std::byte> file = bytes_of(golden("pictures/progressive.jpg"));
  std::size_t last = 0;
  for (std::size_t i = 0; i + 1 < file.size(); ++i) {
    if (file[i] == std::byte(0xff) && file[i + 1] == std::byte(0xda)) last = i;
  }
  const std::vector<std::byte> scan(file.begin() + std::ptrdiff_t(last), file.end() - 2);
  const std::vector<std::byte> end(file.end() - 2, file.end());
  file.resize(file.size() - 2);
  for (int i = 0; i < scans; ++i) file.insert(file.end(), scan.begin(), scan.end());
  file.insert(file.end(), end.begin(), end.end());
  return file;
}

TEST_CASE("a progressive JPEG of thousands of scans is refused") {
  CHECK(error_of(many_scans(10'000)).find("too many scans") != std::string::npos);
}

TEST_CASE("a truncated picture gives a clear error wherever it is cut") {
  for (const char* name : {"rgb_420.jpg", "progressive.jpg", "cmyk.jpg", "palette_transparent.png",
                           "interlaced.png", "rgba_16.png", "lossy.webp", "alpha_lossless.webp"}) {
    CAPTURE(name);
    const std::vector<std::byte> file = bytes_of(golden(std::string("pictures/") + name));
    for (std::size_t size = 0; size + 30 < file.size(); size += 3) {
      CAPTURE(size);
      CHECK(error_of(std::span(file).first(size)) != "");
    }
  }
}

TEST_CASE("a damaged picture gives pixels or an error, never anything else") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (const auto& path : golden_pictures()) {
    CAPTURE(path.filename().string());
    const std::vector<std::byte> good = bytes_of(path);
    for (int i = 0; i < 60; ++i) {
      std::vector<std::byte> file = good;
      for (unsigned k = 0; k <= random() % 4; ++k) file[random() % file.size()] = std::byte(random());
      try {
        const Image image = decode_picture(file, {.max_pixels = 100'000});
        CHECK(image.width() * image.height() <= 100'000);
      } catch (const PictureError& e) {
        CHECK(std::string(e.what()) != "");
      }
    }
  }
}

TEST_CASE("a path that is no regular file is named in the error") {
  const test::TestFolder folder;
  for (const std::string& path : {folder.path().string(), (folder.path() / "absent.png").string()}) {
    try {
      read_picture(path);
      FAIL("no error");
    } catch (const PictureError& e) {
      CHECK(std::string(e.what()).starts_with(path));
    }
  }
}

TEST_CASE("a written picture reads back to the same pixels, and what cannot be written is named") {
  const test::TestFolder folder;
  std::vector<std::uint8_t> bytes(17 * 5 * 3);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::uint8_t(i * 37);
  const Image image(17, 5, bytes);
  for (int twice = 0; twice < 2; ++twice) {
    write_png(folder.path() / "a.png", image);
    const Image read = read_picture(folder.path() / "a.png");
    CHECK(read.width() == 17);
    CHECK(std::ranges::equal(read.bytes(), image.bytes()));
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  CHECK_THROWS_WITH_AS(write_png(folder.path() / "no/a.png", image), doctest::Contains("no/a.png"),
                       PictureError);
}

}  // namespace
}  // namespace palisade
