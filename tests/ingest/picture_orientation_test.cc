#include "ingest/pictures/picture_orientation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>

#include "base/format.h"
#include "ingest/pictures/exif.h"
#include "ingest/pictures/picture.h"
#include "tests/ingest/oriented_files.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using test::bytes_of;
using test::exif_of;
using test::FileBytes;
using test::golden;
using test::with;

const std::string kXmpName("http://ns.adobe.com/xap/1.0/\0", 29);

std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string xmp_of(int orientation) {
  return format("<x:xmpmeta><rdf:Description tiff:Orientation=\"{}\"/></x:xmpmeta>", orientation);
}

std::string xmp_segment(const std::string& said) {
  return test::jpeg_segment(0xe1, kXmpName + "<x:xmpmeta><rdf:Description " + said + "/></x:xmpmeta>");
}

FileBytes plain_jpeg() {
  return bytes_of(golden("pictures/rgb_444.jpg"));
}
FileBytes plain_png() {
  return bytes_of(golden("pictures/rgb.png"));
}
FileBytes plain_webp() {
  return bytes_of(golden("pictures/lossless.webp"));
}

FileBytes png_with(const std::string& chunk, const char* before) {
  const FileBytes file = plain_png();
  return with(file, test::place_of(file, before) - 4, chunk);
}

FileBytes webp_with(const std::string& chunk, int flags) {
  return test::extended_webp(plain_webp(), 37, 29, flags, chunk);
}

using Case = std::pair<std::string, FileBytes>;

// All places in a file that can state the orientation.
std::vector<Case> files_that_lie(int orientation) {
  const std::string intel = exif_of(orientation, false);
  const std::string motorola = exif_of(orientation, true);
  const FileBytes jpeg = plain_jpeg();
  const std::string others = test::jpeg_segment(0xe2, "ICC_PROFILE") + test::jpeg_segment(0xfe, "a comment") +
                             test::jpeg_segment(0xe1, "another APP1") + "\xff\xff";
  const std::string number = std::to_string(orientation);
  const std::string xmp_text = std::string("XML:com.adobe.xmp\0\0\0\0\0", 22) + xmp_of(orientation);
  const std::string exif_app1 = std::string("Exif\0\0", 6) + intel;
  return {
      {"JPEG, Intel", with(jpeg, 2, test::jpeg_exif(intel))},
      {"JPEG, Motorola", with(jpeg, 2, test::jpeg_exif(motorola))},
      {"JPEG, long number", with(jpeg, 2, test::jpeg_exif(exif_of(orientation, true, 4)))},
      {"JPEG, directory elsewhere", with(jpeg, 2, test::jpeg_exif(exif_of(orientation, false, 3, 100)))},
      {"JPEG, after other segments", with(jpeg, 2, others + test::jpeg_exif(intel))},
      {"JPEG, after JFIF", with(jpeg, 20, test::jpeg_exif(motorola))},
      {"JPEG, XMP", with(jpeg, 2, test::jpeg_segment(0xe1, kXmpName + xmp_of(orientation)))},
      {"JPEG, XMP in apostrophes", with(jpeg, 2, xmp_segment("tiff:Orientation = '" + number + "'"))},
      {"JPEG, XMP as an element",
       with(jpeg, 2, xmp_segment("><tiff:Orientation>\n " + number + "</tiff:Orientation>"))},
      {"JPEG, XMP after EXIF that does not say it",
       with(jpeg, 2,
            test::jpeg_exif(exif_of(1, true, 2)) + xmp_segment("tiff:Orientation=\"" + number + "\""))},
      {"JPEG, second EXIF", with(jpeg, 2, test::jpeg_exif(exif_of(1, true, 2)) + test::jpeg_exif(intel))},
      {"JPEG, EXIF and another byte",
       with(jpeg, 2, test::jpeg_segment(0xe1, "Exif" + std::string("\0\xff", 2) + intel))},
      {"PNG, before the pixels", png_with(test::png_chunk("eXIf", motorola), "IDAT")},
      {"PNG, after the pixels", png_with(test::png_chunk("eXIf", intel), "IEND")},
      {"PNG, XMP", png_with(test::png_chunk("iTXt", xmp_text), "IDAT")},
      {"PNG, XMP in a compressed text of a language",
       png_with(test::png_chunk("iTXt", std::string("XML:com.adobe.xmp\0\1\0en\0XMP\0", 27) +
                                            test::deflated(xmp_of(orientation))),
                "IDAT")},
      {"PNG, ImageMagick's text",
       png_with(test::png_text("tEXt", "exif", test::hexadecimal(exif_app1)), "IDAT")},
      {"PNG, ImageMagick's compressed text",
       png_with(test::png_text("zTXt", "exif", test::hexadecimal(exif_app1)), "IDAT")},
      {"PNG, its text after the pixels",
       png_with(test::png_text("zTXt", "exif", test::hexadecimal(motorola)), "IEND")},
      {"PNG, its text of another program",
       png_with(test::png_text("iTXt", "exif", test::hexadecimal(intel, 1'000'000, true)), "IDAT")},
      {"PNG, APP1 in a text", png_with(test::png_text("zTXt", "APP1", test::hexadecimal(exif_app1)), "IDAT")},
      {"PNG, XMP of APP1 in a text",
       png_with(test::png_text("zTXt", "APP1", test::hexadecimal(kXmpName + xmp_of(orientation))), "IDAT")},
      {"PNG, XMP in a text",
       png_with(test::png_text("zTXt", "xmp", test::hexadecimal(xmp_of(orientation))), "IDAT")},
      {"WebP", webp_with(test::webp_chunk("EXIF", intel), 0x08)},
      {"WebP, with a prefix",
       webp_with(test::webp_chunk("EXIF", std::string("Exif\0\0", 6) + motorola), 0x08)},
      {"WebP, XMP", webp_with(test::webp_chunk("XMP ", xmp_of(orientation)), 0x04)},
  };
}

bool same(const Image& a, const Image& b) {
  return a.width() == b.width() && a.height() == b.height() && std::ranges::equal(a.u8(), b.u8());
}

TEST_CASE("a photo stands upright, however its file says that it lies") {
  const Image jpeg = decode_picture(plain_jpeg());
  const Image png = decode_picture(plain_png());
  for (int orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    for (const auto& [what, file] : files_that_lie(orientation)) {
      CAPTURE(what);
      const Image& stored = what.starts_with("JPEG") ? jpeg : png;  // the WebP is lossless
      CHECK(same(decode_picture(file), upright(stored, Orientation(orientation))));
    }
  }
}

TEST_CASE("the first EXIF and not XMP decides, and what says nothing leaves the picture as it is") {
  const FileBytes jpeg = plain_jpeg();
  const std::string xmp = test::jpeg_segment(0xe1, kXmpName + xmp_of(6));
  const auto orientation = [&](const std::string& segments) {
    return int(orientation_of_jpeg(with(jpeg, 2, segments)));
  };
  CHECK(orientation(xmp + test::jpeg_exif(exif_of(3, true))) == 3);
  CHECK(orientation(xmp + test::jpeg_exif(exif_of(1, true))) == 1);
  CHECK(orientation(test::jpeg_exif(exif_of(8, false)) + test::jpeg_exif(exif_of(3, true))) == 8);
  CHECK(orientation(test::jpeg_exif(exif_of(0, false))) == 1);
  CHECK(orientation(test::jpeg_exif(exif_of(9, false))) == 1);
  CHECK(orientation(test::jpeg_exif(exif_of(6, false, 2))) == 1);  // a text
  CHECK(orientation(test::jpeg_exif("nothing of the kind")) == 1);
  CHECK(int(orientation_of_webp(webp_with(test::webp_chunk("EXIF", exif_of(6, false)), 0))) == 1);
  CHECK(int(orientation_of_webp(plain_webp())) == 1);
}

TEST_CASE("a PNG's own EXIF counts before that of its texts, and that before XMP") {
  const std::string text = test::png_text("zTXt", "exif", test::hexadecimal(exif_of(6, false)));
  const std::string xmp = test::png_chunk("iTXt", std::string("XML:com.adobe.xmp\0\0\0\0\0", 22) + xmp_of(8));
  CHECK(int(orientation_of_png(png_with(xmp + text, "IDAT"))) == 6);
  CHECK(int(orientation_of_png(png_with(xmp + text + test::png_chunk("eXIf", exif_of(3, true)), "IDAT"))) ==
        3);
}

TEST_CASE("texts of a PNG that are cut, damaged, huge or of another kind never harm") {
  const std::string exif = test::hexadecimal(exif_of(6, false));
  const std::string good = std::string("Raw profile type exif\0\0", 23) + test::deflated(exif);
  for (std::size_t size = 0; size < good.size(); ++size)
    orientation_of_png(png_with(test::png_chunk("zTXt", good.substr(0, size)), "IDAT"));
  // Data before the damage counts; a compressed gigabyte of zeros is not unpacked.
  const std::string bomb = test::deflated(exif + std::string(64u << 20, '0'));
  CHECK(bomb.size() < 100'000);
  const auto said_by = [](const std::string& chunk) {
    return int(orientation_of_png(png_with(chunk, "IDAT")));
  };
  CHECK(said_by(test::png_chunk("zTXt", std::string("Raw profile type exif\0\0", 23) + bomb)) == 6);
  CHECK(said_by(test::png_chunk("zTXt", std::string("Raw profile type exif\0\1", 23) + bomb)) == 1);
  CHECK(said_by(test::png_chunk("zTXt", std::string("Raw profile type icc\0\0", 22) + bomb)) == 1);
  CHECK(said_by(test::png_text("tEXt", "exif", "\nexif\n 130\nno digits\n")) == 1);
  CHECK(said_by(test::png_chunk("tEXt", "Raw profile type exif")) == 1);
  CHECK(said_by(test::png_chunk("iTXt", std::string("Raw profile type exif\0\0\0", 24))) == 1);
}

TEST_CASE("EXIF that is cut or damaged anywhere never harms, and the picture is read all the same") {
  for (const bool big_endian : {false, true}) {
    const std::string whole = exif_of(6, big_endian);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const FileBytes file = with(plain_jpeg(), 2, test::jpeg_exif(whole.substr(0, size)));
      CHECK_FALSE(decode_picture(file).empty());
    }
    for (const std::uint32_t offset : {0u, 1u, 7u, 40u, 0x7fffffffu, 0xfffffff0u, 0xffffffffu}) {
      std::string lying = whole;
      lying.replace(4, 4, test::number_text(offset, 4, big_endian));
      orientation_of_exif(as_bytes(lying));
    }
    std::string endless = whole;
    endless.replace(8, 2, "\xff\xff");
    CHECK(orientation_of_exif(as_bytes(endless)) == Orientation::kTurnRight);
  }
}

TEST_CASE("damaged files of every kind give an orientation and end") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (const auto& [what, good] : files_that_lie(6)) {
    CAPTURE(what);
    for (int i = 0; i < 200; ++i) {
      FileBytes file = good;
      for (unsigned k = 0; k <= random() % 4; ++k) file[random() % file.size()] = std::byte(random());
      file.resize(file.size() - random() % 3 * (random() % file.size()) / 2);
      for (const auto read : {orientation_of_jpeg, orientation_of_png, orientation_of_webp}) {
        const int orientation = int(read(file));
        CHECK((orientation >= 1 && orientation <= 8));
      }
    }
  }
}

}  // namespace
}  // namespace palisade
