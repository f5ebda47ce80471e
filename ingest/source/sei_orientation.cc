#include "ingest/source/sei_orientation.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "ingest/source/display_matrix.h"

namespace palisade {
namespace {

using UnitBytes = std::span<const std::byte>;

constexpr unsigned kDisplayOrientation = 47;
constexpr std::size_t kMaxUnit = 4096;  // bytes of a unit that are searched for messages

std::uint8_t byte_at(UnitBytes bytes, std::size_t at) {
  return at < bytes.size() ? std::uint8_t(bytes[at]) : std::uint8_t(0);
}

// A unit's bytes without the emulation prevention bytes: the 3 in every 0 0 3.
std::vector<std::byte> unescaped(UnitBytes unit) {
  std::vector<std::byte> plain;
  int zeros = 0;
  for (const std::byte byte : unit.first(std::min(unit.size(), kMaxUnit))) {
    if (zeros >= 2 && byte == std::byte(3)) {
      zeros = 0;
      continue;
    }
    zeros = byte == std::byte(0) ? zeros + 1 : 0;
    plain.push_back(byte);
  }
  return plain;
}

struct BitReader {
  UnitBytes bytes;
  std::size_t at = 0;

  unsigned take(int bits) {
    unsigned value = 0;
    for (; bits > 0; --bits, ++at) value = value << 1 | (byte_at(bytes, at / 8) >> (7 - at % 8) & 1u);
    return value;
  }
};

struct UnitKinds {
  bool parameters = false;  // a sequence parameter set, with which a sequence begins
  bool messages = false;
  std::size_t header_bytes = 1;
};

UnitKinds kinds_of(SeiOrientation::Codec codec, std::uint8_t first) {
  if (codec == SeiOrientation::Codec::kH264) return {(first & 0x1f) == 7, (first & 0x1f) == 6, 1};
  const int kind = first >> 1 & 0x3f;
  return {kind == 33, kind == 39, 2};
}

// The start of the next unit, behind its start code; the end if there is none.
std::size_t after_start_code(UnitBytes packet, std::size_t from) {
  for (std::size_t at = from + 2; at < packet.size(); ++at) {
    const void* const one = std::memchr(packet.data() + at, 1, packet.size() - at);
    if (one == nullptr) break;
    at = std::size_t(static_cast<const std::byte*>(one) - packet.data());
    if (byte_at(packet, at - 1) == 0 && byte_at(packet, at - 2) == 0) return at + 1;
  }
  return packet.size();
}

}  // namespace

SeiOrientation SeiOrientation::of_extra_data(Codec codec, UnitBytes extra_data) {
  const bool has_lengths = byte_at(extra_data, 0) == 1;
  const std::size_t place = codec == Codec::kH264 ? 4 : 21;
  return {codec, has_lengths && extra_data.size() > place ? (byte_at(extra_data, place) & 3) + 1 : 0};
}

// The standard applies flips before the rotation.
void SeiOrientation::note_messages(UnitBytes payload) {
  for (std::size_t at = 0; at + 2 < payload.size();) {
    unsigned kind = 0;
    unsigned size = 0;
    for (unsigned* const number : {&kind, &size}) {
      while (byte_at(payload, at) == 0xff) *number += 0xff, ++at;
      *number += byte_at(payload, at++);
    }
    if (at >= payload.size()) return;
    const UnitBytes message = payload.subspan(at).first(std::min<std::size_t>(size, payload.size() - at));
    at += size;
    if (kind != kDisplayOrientation || message.empty()) continue;
    BitReader bits{message};
    told_ = true;
    if (bits.take(1) != 0) {  // cancels the message before
      now_ = lasting_ = std::nullopt;
      continue;
    }
    DisplayMatrix matrix;
    if (bits.take(1) != 0) matrix.xx = -1;
    if (bits.take(1) != 0) matrix.yy = -1;
    now_ = matrix.turned_left(360.0 * bits.take(16) / 65536).orientation();
    // H.264: the repetition period as Exp-Golomb code, in which 0 is a set bit. H.265: the persistence flag.
    const bool lasts = (bits.take(1) != 0) == (codec_ == Codec::kH265);
    lasting_ = lasts ? now_ : std::nullopt;
  }
}

void SeiOrientation::note_unit(UnitBytes unit) {
  const UnitKinds kinds = kinds_of(*codec_, byte_at(unit, 0));
  fresh_ = fresh_ || kinds.parameters;
  if (kinds.messages && unit.size() > kinds.header_bytes)
    note_messages(unescaped(unit.subspan(kinds.header_bytes)));
}

void SeiOrientation::note_units(UnitBytes packet) {
  if (length_bytes_ == 0) {
    for (std::size_t at = after_start_code(packet, 0); at < packet.size();) {
      const std::size_t next_at = after_start_code(packet, at);
      note_unit(packet.subspan(at, next_at - at));
      at = next_at;
    }
    return;
  }
  const auto length_bytes = std::size_t(length_bytes_);
  while (packet.size() > length_bytes) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) size = size << 8 | byte_at(packet, i);
    packet = packet.subspan(length_bytes);
    const UnitBytes unit = packet.first(std::min(packet.size(), size));
    if (!unit.empty()) note_unit(unit);
    packet = packet.subspan(unit.size());
  }
}

// A sequence without a message ends the effect of the one before, but only at its second picture: some
// programs write the message behind the picture that it belongs to.
std::optional<Orientation> SeiOrientation::next(UnitBytes packet) {
  if (!codec_) return std::nullopt;
  now_ = lasting_;
  told_ = fresh_ = false;
  note_units(packet);
  if (ending_ && !told_) now_ = lasting_ = std::nullopt;
  ending_ = fresh_ && !told_;
  return now_;
}

}  // namespace palisade
