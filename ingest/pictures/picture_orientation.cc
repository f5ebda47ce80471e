#include "ingest/pictures/picture_orientation.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "ingest/pictures/exif.h"
#include "ingest/pictures/png_text.h"

namespace palisade {
namespace {

std::string_view characters(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The orientations found in a file, the first of each kind.
struct OrientationTags {
  std::optional<Orientation> exif;
  std::optional<Orientation> text;  // of EXIF in a PNG's text
  std::optional<Orientation> xmp;

  void note_exif(Bytes data) {
    if (!exif) exif = orientation_of_exif(data);
  }
  void note_text(Bytes data) {
    if (!text) text = orientation_of_exif(data);
  }
  void note_xmp(Bytes data) {
    if (!xmp) xmp = orientation_of_xmp(data);
  }
  Orientation orientation() const {
    return exif.value_or(text.value_or(xmp.value_or(Orientation::kUpright)));
  }
};

// Reads forward; empty beyond the end.
struct Reader {
  Bytes rest;

  bool has(std::size_t bytes) const { return rest.size() >= bytes; }
  Bytes take(std::size_t bytes) {
    const Bytes taken = rest.first(std::min(bytes, rest.size()));
    rest = rest.subspan(taken.size());
    return taken;
  }
  std::uint32_t number(std::size_t bytes, bool big_endian) {
    std::uint32_t value = 0;
    const Bytes taken = take(bytes);
    for (std::size_t i = 0; i < taken.size(); ++i)
      value = value << 8 | std::uint32_t(taken[big_endian ? i : taken.size() - 1 - i]);
    return value;
  }
};

constexpr std::string_view kExif("Exif\0", 5);  // and a byte that is not always 0
constexpr std::string_view kXmp("http://ns.adobe.com/xap/1.0/\0", 29);

// ImageMagick, exiftool and others keep EXIF and XMP in texts of a PNG.
void note_png_text(OrientationTags& said, std::string_view kind, Bytes chunk) {
  constexpr std::array<std::string_view, 4> kKeywords = {"XML:com.adobe.xmp", "Raw profile type exif",
                                                         "Raw profile type APP1", "Raw profile type xmp"};
  const std::optional<PngText> found = png_text(kind, chunk, kKeywords);
  if (!found) return;
  if (found->keyword == kKeywords[0]) return said.note_xmp(std::as_bytes(std::span(found->text)));
  const std::string profile = raw_profile(found->text);
  const Bytes bytes = std::as_bytes(std::span(profile));
  if (found->keyword == kKeywords[3]) return said.note_xmp(bytes);
  if (profile.starts_with(kXmp)) return said.note_xmp(bytes.subspan(kXmp.size()));
  said.note_text(bytes);
}

}  // namespace

// Reads the segments before the pixels.
Orientation orientation_of_jpeg(Bytes file) {
  constexpr std::uint32_t kApp1 = 0xe1, kStartOfScan = 0xda, kEnd = 0xd9, kFill = 0xff;
  OrientationTags said;
  Reader reader{file};
  reader.take(2);
  while (reader.has(4)) {
    if (reader.number(1, true) != 0xff) continue;
    std::uint32_t marker = reader.number(1, true);
    while (marker == kFill && reader.has(1)) marker = reader.number(1, true);
    if (marker == kStartOfScan || marker == kEnd) break;
    const bool alone = marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    if (alone) continue;
    const std::uint32_t length = reader.number(2, true);
    if (length < 2) break;
    const Bytes segment = reader.take(length - 2);
    if (marker != kApp1) continue;
    if (characters(segment).starts_with(kExif)) said.note_exif(segment);
    if (characters(segment).starts_with(kXmp)) said.note_xmp(segment.subspan(kXmp.size()));
  }
  return said.orientation();
}

// Reads all chunks, because EXIF may follow the pixels.
Orientation orientation_of_png(Bytes file) {
  constexpr std::size_t kSignature = 8;
  constexpr std::size_t kChecksum = 4;
  OrientationTags said;
  Reader reader{file};
  reader.take(kSignature);
  while (reader.has(12)) {
    const std::uint32_t length = reader.number(4, true);
    const std::string_view kind = characters(reader.take(4));
    const Bytes chunk = reader.take(length);
    reader.take(kChecksum);
    if (kind == "eXIf") said.note_exif(chunk);
    note_png_text(said, kind, chunk);
    if (kind == "IEND") break;
  }
  return said.orientation();
}

// Like libwebp, only of an extended file whose header announces EXIF or XMP.
Orientation orientation_of_webp(Bytes file) {
  constexpr std::uint32_t kHasExif = 0x08, kHasXmp = 0x04;
  OrientationTags said;
  Reader reader{file};
  reader.take(12);
  if (characters(reader.take(4)) != "VP8X") return Orientation::kUpright;
  const std::uint32_t header = reader.number(4, false);
  const std::uint32_t flags = reader.number(1, false);
  reader.take(header + header % 2 - 1);
  while (reader.has(8)) {
    const std::string_view kind = characters(reader.take(4));
    const std::uint32_t length = reader.number(4, false);
    const Bytes chunk = reader.take(length);
    reader.take(length % 2);
    if (kind == "EXIF" && (flags & kHasExif) != 0) said.note_exif(chunk);
    if (kind == "XMP " && (flags & kHasXmp) != 0) said.note_xmp(chunk);
  }
  return said.orientation();
}

}  // namespace palisade
