#include "ingest/pictures/exif.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace palisade {
namespace {

constexpr std::uint32_t kOrientationTag = 0x0112;
constexpr std::size_t kEntryBytes = 12;

using Exif = std::span<const std::byte>;

std::string_view text_of(Exif bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view xmp_text_trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  return text;
}

// An unknown number leaves the picture as it is.
Orientation orientation_of_number(std::uint32_t number) {
  return number >= 1 && number <= 8 ? Orientation(int(number)) : Orientation::kUpright;
}

// Reads numbers in the byte order of the header; 0 beyond the end.
struct Tiff {
  Exif bytes;
  bool big_endian = false;

  std::optional<std::uint32_t> number(std::size_t at, std::size_t size) const {
    if (at > bytes.size() || size > bytes.size() - at) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
      value = value << 8 | std::uint32_t(bytes[at + (big_endian ? i : size - 1 - i)]);
    return value;
  }
};

// Integers of up to four bytes are stored in the entry itself. Some programs write signed or long ones, or
// two values.
std::optional<std::uint32_t> value_of(const Tiff& tiff, std::size_t entry) {
  constexpr std::uint32_t kShort = 3, kLong = 4, kSignedShort = 8, kSignedLong = 9;
  const auto type = tiff.number(entry + 2, 2);
  const auto count = tiff.number(entry + 4, 4);
  if (!type || !count || *count < 1 || *count > 2) return std::nullopt;
  if (*type == kShort || *type == kSignedShort) return tiff.number(entry + 8, 2);
  if (*type == kLong || *type == kSignedLong) return tiff.number(entry + 8, 4);
  return std::nullopt;
}

}  // namespace

std::optional<Orientation> orientation_of_exif(Exif exif) {
  constexpr std::string_view kPrefix("Exif\0", 5);  // followed by a byte that is usually 0
  for (int twice = 0; twice < 2 && text_of(exif).starts_with(kPrefix) && exif.size() > kPrefix.size();
       ++twice)
    exif = exif.subspan(kPrefix.size() + 1);
  const std::string_view text = text_of(exif);
  const bool big_endian = text.starts_with(std::string_view("MM\0*", 4));
  if (!big_endian && !text.starts_with(std::string_view("II*\0", 4))) return std::nullopt;
  const Tiff tiff{exif, big_endian};
  const auto directory = tiff.number(4, 4);
  const auto entries = directory ? tiff.number(*directory, 2) : std::nullopt;
  for (std::size_t i = 0; entries && i < *entries; ++i) {
    const std::size_t entry = std::size_t(*directory) + 2 + i * kEntryBytes;
    if (entry + kEntryBytes > exif.size()) break;
    if (tiff.number(entry, 2) != kOrientationTag) continue;
    // The first of several entries counts, as in Pillow.
    if (const auto value = value_of(tiff, entry)) return orientation_of_number(*value);
  }
  return std::nullopt;
}

std::optional<Orientation> orientation_of_xmp(std::span<const std::byte> xmp) {
  constexpr std::string_view kName = "tiff:Orientation";
  const std::string_view text = text_of(xmp);
  for (std::size_t at = text.find(kName); at != text.npos; at = text.find(kName, at + 1)) {
    std::string_view rest = xmp_text_trimmed(text.substr(at + kName.size()));
    if (rest.starts_with('=')) {
      rest = xmp_text_trimmed(rest.substr(1));
      if (!rest.starts_with('"') && !rest.starts_with('\'')) continue;
    } else if (!rest.starts_with('>')) {
      continue;
    }
    rest = xmp_text_trimmed(rest.substr(1));
    if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9')
      return orientation_of_number(std::uint32_t(rest[0] - '0'));
  }
  return std::nullopt;
}

}  // namespace palisade
