#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/ingest/oriented_files.h"

// Adds an orientation to films that have none.
namespace palisade::test {

// The first four of a display matrix in its own order: how far x and y go right and down.
using MatrixNumbers = std::array<double, 4>;  // a, b, c, d

// An MP4 file with another matrix in its first track's header.
inline FileBytes mp4_with_matrix(FileBytes file, const MatrixNumbers& numbers) {
  const std::size_t matrix = place_of(file, "tkhd") + 4 + 40;
  const std::array<std::size_t, 4> places = {0, 4, 12, 16};
  for (std::size_t i = 0; i < 4; ++i) {
    const std::string number = number_text(std::uint32_t(std::int32_t(numbers[i] * 65536)), 4, true);
    for (std::size_t k = 0; k < 4; ++k) file[matrix + places[i] + k] = std::byte(number[k]);
  }
  return file;
}

// A display orientation SEI message of H.264 or, with 265, of H.265, as a unit with its start code. `turns`:
// quarter turns counterclockwise.
struct SeiMessage {
  bool cancel = false;
  bool mirrored = false;
  bool flipped = false;
  int turns = 0;
  bool lasts = true;
};

inline std::string sei_unit(int codec, const SeiMessage& message) {
  std::string bits = message.cancel ? "1" : "0";
  if (!message.cancel) {
    bits += message.mirrored ? "1" : "0";
    bits += message.flipped ? "1" : "0";
    for (int bit = 15; bit >= 0; --bit) bits += (message.turns * 16384 >> bit & 1) != 0 ? "1" : "0";
    if (codec == 264) bits += message.lasts ? "010" : "1";  // Exp-Golomb: 1 or 0
    if (codec == 265) bits += message.lasts ? "1" : "0";
  }
  if (codec == 264) bits += "0";
  bits += "1";
  while (bits.size() % 8 != 0) bits += "0";
  std::string unit = codec == 264 ? "\x06" : "\x4e\x01";
  unit += char(47);
  unit += char(bits.size() / 8);
  for (std::size_t i = 0; i < bits.size(); i += 8) unit += char(std::stoi(bits.substr(i, 8), nullptr, 2));
  unit += char(0x80);
  std::string escaped;
  for (const char c : unit) {
    if (std::uint8_t(c) <= 3 && escaped.ends_with(std::string_view("\0\0", 2))) escaped += '\3';
    escaped += c;
  }
  return std::string("\0\0\0\1", 4) + escaped;
}

// Inserts units into a raw stream before picture `picture`, from 0. Each picture must have one slice.
inline FileBytes with_unit(const FileBytes& stream, int codec, int picture, const std::string& unit) {
  int seen = 0;
  for (std::size_t at = 0; at + 4 < stream.size(); ++at) {
    if (stream[at] != std::byte(0) || stream[at + 1] != std::byte(0) || stream[at + 2] != std::byte(1))
      continue;
    const int first = int(stream[at + 3]);
    const int kind = codec == 264 ? first & 0x1f : first >> 1 & 0x3f;
    const bool slice = codec == 264 ? kind == 1 || kind == 5 : kind < 32;
    if (slice && seen++ == picture) return with(stream, at, unit);
  }
  return stream;
}

}  // namespace palisade::test
