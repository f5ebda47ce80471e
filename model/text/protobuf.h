#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace palisade {

// Why a message is none that we read.
struct MalformedProtobuf {
  std::string why;
};

enum class ProtobufKind { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct ProtobufField {
  std::uint32_t number = 0;
  ProtobufKind kind = ProtobufKind::kVarint;
  std::uint64_t value = 0;  // of a number; fixed ones are little-endian
  std::string_view bytes;
};

// One protobuf message of untrusted origin, field by field. Stricter than the libraries, which do not read
// all alike: keys, lengths and numbers stand in as few bytes as they need, keys in 32 bits, and there are no
// groups, which nobody writes today. Throws MalformedProtobuf.
class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view message) : rest_(message) {}
  std::optional<ProtobufField> next();

 private:
  std::uint64_t varint();
  std::string_view take(std::uint64_t count);
  std::string_view rest_;
};

// Fields one after the other, as every library writes them.
class ProtobufWriter {
 public:
  void add_varint(std::uint32_t number, std::uint64_t value);
  void add_float(std::uint32_t number, float value);
  void add_bytes(std::uint32_t number, std::string_view bytes);
  // As ProtobufReader gave it, in the same bytes.
  void add(const ProtobufField& field);
  const std::string& message() const { return message_; }

 private:
  void key(std::uint32_t number, ProtobufKind kind);
  void varint(std::uint64_t value);
  std::string message_;
};

}  // namespace palisade
