#include "model/weights/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <optional>
#include <utility>

#include "base/format.h"
#include "base/json.h"
#include "model/error.h"

namespace palisade {
namespace {

constexpr std::uint64_t kMaxHeader = 16u << 20;  // a 10B checkpoint has 150 KB; more would only cost memory

struct NamedType {
  const char* name;
  DataType type;
  std::size_t size;
};
constexpr NamedType kTypes[] = {{"F32", DataType::kF32, 4},
                                {"F16", DataType::kF16, 2},
                                {"BF16", DataType::kBf16, 2},
                                {"I64", DataType::kI64, 8},
                                {"U8", DataType::kU8, 1}};

// Whole numbers and eighths of a word are what quantised weights are stored as.
std::string about_type(const std::string& type) {
  if (!type.starts_with("F8") && !type.starts_with("F4") && !type.starts_with("I") && !type.starts_with("U"))
    return "";
  return ": the weights are quantised; bring the checkpoint that they were made from, and take --precision "
         "int8 "
         "where memory is short";
}

float float_of_half(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t(half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 31u;
  const std::uint32_t fraction = half & 0x3ffu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (fraction << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
  const float magnitude = float(fraction) * 0x1p-24f;
  return sign ? -magnitude : magnitude;
}

template <typename T>
T load(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// Whole non-negative numbers of a JSON list.
std::optional<std::vector<std::int64_t>> naturals(const Json& entry, const char* key) {
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_array()) return std::nullopt;
  std::vector<std::int64_t> numbers;
  for (const Json& number : *found) {
    if (!number.is_number_unsigned() || number.get<std::uint64_t>() > std::uint64_t(INT64_MAX))
      return std::nullopt;
    numbers.push_back(number.get<std::int64_t>());
  }
  return numbers;
}

std::optional<std::uint64_t> byte_count(const std::vector<std::int64_t>& shape, std::size_t element_size) {
  std::uint64_t count = element_size;
  for (const std::int64_t extent : shape) {
    if (__builtin_mul_overflow(count, std::uint64_t(extent), &count)) return std::nullopt;
  }
  return count;
}

}  // namespace

std::size_t size_of(DataType type) {
  for (const NamedType& named : kTypes) {
    if (named.type == type) return named.size;
  }
  return 0;
}

void to_floats(DataType type, std::span<const std::byte> stored, std::span<float> floats) {
  assert(stored.size() == floats.size() * size_of(type));
  const std::byte* const from = stored.data();
  if (type == DataType::kF32) {
    std::memcpy(floats.data(), from, floats.size_bytes());
  } else if (type == DataType::kBf16) {
    for (std::size_t i = 0; i < floats.size(); ++i) {
      floats[i] = std::bit_cast<float>(std::uint32_t(load<std::uint16_t>(from + 2 * i)) << 16);
    }
  } else if (type == DataType::kF16) {
    for (std::size_t i = 0; i < floats.size(); ++i)
      floats[i] = float_of_half(load<std::uint16_t>(from + 2 * i));
  } else {
    throw ModelError("a tensor of whole numbers stands where F32, F16 or BF16 is expected");
  }
}

std::int64_t TensorView::element_count() const {
  return std::int64_t(byte_count / size_of(type));
}

void TensorView::read(std::uint64_t first, std::span<std::byte> out) const {
  assert(first + out.size() <= byte_count);
  file->read(begin + first, out);
}

std::vector<std::byte> TensorView::bytes() const {
  std::vector<std::byte> all(byte_count);
  read(0, all);
  return all;
}

void TensorView::copy_to(std::span<float> floats) const {
  assert(floats.size_bytes() / sizeof(float) * size_of(type) <= byte_count);
  constexpr std::size_t kPiece = 256 * 1024;  // elements
  std::vector<std::byte> stored(std::min(kPiece, floats.size()) * size_of(type));
  for (std::size_t done = 0; done < floats.size(); done += kPiece) {
    const auto into = floats.subspan(done, std::min(kPiece, floats.size() - done));
    const auto now = std::span(stored).first(into.size() * size_of(type));
    read(done * size_of(type), now);
    palisade::to_floats(type, now, into);
  }
}

std::vector<float> TensorView::to_floats() const {
  std::vector<float> floats(static_cast<std::size_t>(element_count()));
  copy_to(floats);
  return floats;
}

std::vector<std::int64_t> TensorView::to_integers() const {
  if (type != DataType::kI64) throw ModelError("expected a tensor of type I64");
  std::vector<std::int64_t> integers(static_cast<std::size_t>(element_count()));
  read(0, std::as_writable_bytes(std::span(integers)));
  return integers;
}

std::string TensorView::shape_text() const {
  std::string text = "[";
  for (const std::int64_t extent : shape) text += format("{}{}", text.size() > 1 ? ", " : "", extent);
  return text + "]";
}

const TensorView& SafetensorsFile::at(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw ModelError(path().string() + ": has no tensor \"" + name + "\"");
  return found->second;
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : file_(std::make_shared<const ReadFile>(path)) {
  const auto fail = [&](const std::string& why) { throw ModelError(path.string() + ": " + why); };
  if (file_->size() < 8) fail("too short for a safetensors file");
  std::array<std::byte, 8> length{};
  file_->read(0, length);
  const auto header_size = load<std::uint64_t>(length.data());
  if (header_size > kMaxHeader) fail(format("header of {} bytes is over the limit", header_size));
  if (header_size > file_->size() - 8)
    fail("the file ends inside its header: truncated or no safetensors file");
  std::string text(header_size, '\0');
  file_->read(8, std::as_writable_bytes(std::span(text)));
  file_->require_unchanged();
  const std::uint64_t data = 8 + header_size, data_size = file_->size() - data;
  const Json header = parse_json(text, path.string() + ": header");
  if (!header.is_object()) fail("the header is no JSON object");

  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      for (const auto& [key, value] : entry.items()) {
        if (value.is_string()) metadata_[key] = value.get<std::string>();
      }
      continue;
    }
    const auto fail_tensor = [&](const std::string& why) { fail("tensor \"" + name + "\": " + why); };
    if (!entry.is_object()) fail_tensor("its entry is no object");
    const std::string type_name =
        entry.contains("dtype") && entry["dtype"].is_string() ? entry["dtype"].get<std::string>() : "";
    const auto type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                   [&](const NamedType& named) { return type_name == named.name; });
    if (type == std::end(kTypes))
      fail_tensor("dtype \"" + type_name + "\" is not known; expected F32, F16 or BF16" +
                  about_type(type_name));
    const auto shape = naturals(entry, "shape");
    if (!shape || shape->size() > 8) fail_tensor("its shape is no list of up to 8 whole numbers");
    const auto offsets = naturals(entry, "data_offsets");
    if (!offsets || offsets->size() != 2) fail_tensor("its data_offsets are no pair of whole numbers");
    const std::uint64_t begin = (*offsets)[0], end = (*offsets)[1];
    if (begin > end || end > data_size) {
      fail_tensor(format("its data (bytes {} to {}) lie outside the file: truncated?", begin, end));
    }
    const auto expected = byte_count(*shape, type->size);
    if (!expected || *expected != end - begin)
      fail_tensor("its shape and dtype do not match its number of bytes");
    ranges.emplace_back(begin, end);
    tensors_[name] = {type->type, *shape, data + begin, end - begin, file_};
  }
  std::sort(ranges.begin(), ranges.end());
  std::uint64_t covered = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin < covered) fail("two tensors overlap");
    if (begin > covered) fail(format("bytes {} to {} belong to no tensor", covered, begin));
    covered = end;
  }
  if (covered != data_size) fail(format("bytes after {} belong to no tensor", covered));
}

}  // namespace palisade
