#include "model/text/protobuf.h"

#include <bit>

namespace palisade {

std::optional<ProtobufField> ProtobufReader::next() {
  if (rest_.empty()) return std::nullopt;
  const std::uint64_t key = varint();
  if (key > UINT32_MAX || key >> 3 == 0) throw MalformedProtobuf{"a field has no possible number"};
  ProtobufField field{.number = std::uint32_t(key >> 3)};
  std::string_view fixed;
  switch (key & 7) {
    case 0:
      field.value = varint();
      break;
    case 1:
      field.kind = ProtobufKind::kFixed64;
      fixed = take(8);
      break;
    case 2:
      field.kind = ProtobufKind::kBytes;
      field.bytes = take(varint());
      break;
    case 5:
      field.kind = ProtobufKind::kFixed32;
      fixed = take(4);
      break;
    default:
      throw MalformedProtobuf{"not a protobuf message, or one with groups"};
  }
  for (std::size_t k = fixed.size(); k-- > 0;) field.value = field.value << 8 | std::uint8_t(fixed[k]);
  return field;
}

std::uint64_t ProtobufReader::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = std::uint8_t(take(1)[0]);
    value |= std::uint64_t(byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    if ((byte == 0 && shift > 0) || (shift == 63 && byte > 1))
      throw MalformedProtobuf{"a number in it takes more bytes than it needs"};
    return value;
  }
  throw MalformedProtobuf{"not a protobuf message: a number in it does not end"};
}

std::string_view ProtobufReader::take(std::uint64_t count) {
  if (count > rest_.size()) throw MalformedProtobuf{"it is truncated or no protobuf message"};
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

void ProtobufWriter::add_varint(std::uint32_t number, std::uint64_t value) {
  key(number, ProtobufKind::kVarint);
  varint(value);
}

void ProtobufWriter::add_float(std::uint32_t number, float value) {
  key(number, ProtobufKind::kFixed32);
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) message_ += char(bits >> shift & 0xff);
}

void ProtobufWriter::add_bytes(std::uint32_t number, std::string_view bytes) {
  key(number, ProtobufKind::kBytes);
  varint(bytes.size());
  message_ += bytes;
}

void ProtobufWriter::add(const ProtobufField& field) {
  if (field.kind == ProtobufKind::kBytes) return add_bytes(field.number, field.bytes);
  if (field.kind == ProtobufKind::kVarint) return add_varint(field.number, field.value);
  key(field.number, field.kind);
  const int bits = field.kind == ProtobufKind::kFixed64 ? 64 : 32;
  for (int shift = 0; shift < bits; shift += 8) message_ += char(field.value >> shift & 0xff);
}

void ProtobufWriter::key(std::uint32_t number, ProtobufKind kind) {
  varint(std::uint64_t(number) << 3 | std::uint64_t(kind));
}

void ProtobufWriter::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) message_ += char(value | 0x80);
  message_ += char(value);
}

}  // namespace palisade
