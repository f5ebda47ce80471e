#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Adds an orientation to picture files that have none.
namespace palisade::test {

using FileBytes = std::vector<std::byte>;

inline std::string number_text(std::uint32_t value, int bytes, bool big_endian) {
  std::string text(std::size_t(bytes), '\0');
  for (int i = 0; i < bytes; ++i) {
    const int shift = 8 * (big_endian ? bytes - 1 - i : i);
    text[std::size_t(i)] = char(value >> shift & 0xff);
  }
  return text;
}

// EXIF data as cameras write it: the orientation among other tags. `type` 3 is a 16-bit number.
inline std::string exif_of(int orientation, bool big_endian, std::uint32_t type = 3, int directory = 8) {
  const auto n = [&](std::uint32_t value, int bytes) { return number_text(value, bytes, big_endian); };
  const auto entry = [&](std::uint32_t tag, std::uint32_t kind, const std::string& value) {
    return n(tag, 2) + n(kind, 2) + n(1, 4) + value;
  };
  const int size = type == 4 || type == 9 ? 4 : 2;
  return (big_endian ? "MM" : "II") + n(42, 2) + n(std::uint32_t(directory), 4) +
         std::string(std::size_t(directory - 8), 'x') + n(3, 2) + entry(0x0100, 4, n(640, 4)) +
         entry(0x0112, type, n(std::uint32_t(orientation), size) + std::string(std::size_t(4 - size), '\0')) +
         entry(0x0128, 3, n(2, 2) + n(0, 2)) + n(0, 4);
}

inline FileBytes with(const FileBytes& file, std::size_t at, std::string_view inserted) {
  FileBytes result(file.begin(), file.begin() + std::ptrdiff_t(at));
  for (const char c : inserted) result.push_back(std::byte(c));
  result.insert(result.end(), file.begin() + std::ptrdiff_t(at), file.end());
  return result;
}

inline std::string jpeg_segment(int marker, const std::string& data) {
  return "\xff" + std::string(1, char(marker)) + number_text(std::uint32_t(data.size() + 2), 2, true) + data;
}

inline std::string jpeg_exif(const std::string& exif) {
  return jpeg_segment(0xe1, std::string("Exif\0\0", 6) + exif);
}

inline std::string png_chunk(const std::string& kind, const std::string& data) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : kind + data) {
    crc ^= std::uint8_t(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return number_text(std::uint32_t(data.size()), 4, true) + kind + data + number_text(~crc, 4, true);
}

inline std::string deflated(const std::string& text) {
  uLongf size = compressBound(text.size());
  std::string result(size, '\0');
  compress(reinterpret_cast<Bytef*>(result.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
           text.size());
  result.resize(size);
  return result;
}

// A profile in ImageMagick's text form (png.c, PNGWriteRawProfile): 36 bytes a line.
inline std::string hexadecimal(const std::string& profile, std::size_t a_line = 36, bool upper_case = false) {
  const char* const digits = upper_case ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string number = std::to_string(profile.size());
  std::string text = "\nexif\n" + std::string(8 - number.size(), ' ') + number;
  for (std::size_t i = 0; i < profile.size(); ++i) {
    if (i % a_line == 0) text += '\n';
    text += digits[std::uint8_t(profile[i]) >> 4];
    text += digits[std::uint8_t(profile[i]) & 15];
  }
  return text + '\n';
}

// A PNG text chunk of one of the three kinds with such a profile.
inline std::string png_text(const std::string& kind, const std::string& profile, const std::string& text) {
  const std::string keyword = "Raw profile type " + profile + '\0';
  if (kind == "zTXt") return png_chunk(kind, keyword + '\0' + deflated(text));
  if (kind == "iTXt") return png_chunk(kind, keyword + std::string(4, '\0') + text);
  return png_chunk(kind, keyword + text);
}

inline std::size_t place_of(const FileBytes& file, std::string_view text) {
  return std::string_view(reinterpret_cast<const char*>(file.data()), file.size()).find(text);
}

// Converts a simple WebP file to an extended one with chunks behind its pixels.
inline FileBytes extended_webp(const FileBytes& simple, int width, int height, int flags,
                               const std::string& chunks) {
  const auto n = [&](std::uint32_t value, int bytes) { return number_text(value, bytes, false); };
  const std::string header = "VP8X" + n(10, 4) + n(std::uint32_t(flags), 4) + n(std::uint32_t(width - 1), 3) +
                             n(std::uint32_t(height - 1), 3);
  FileBytes file = with(with(simple, simple.size(), chunks), 12, header);
  const std::string size = n(std::uint32_t(file.size() - 8), 4);
  for (std::size_t i = 0; i < 4; ++i) file[4 + i] = std::byte(size[i]);
  return file;
}

inline std::string webp_chunk(const std::string& kind, const std::string& data) {
  return kind + number_text(std::uint32_t(data.size()), 4, false) + data + std::string(data.size() % 2, '\0');
}

}  // namespace palisade::test
