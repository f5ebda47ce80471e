#include "model/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "model/json.h"

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
  return std::int64_t(bytes.size() / size_of(type));
}

void TensorView::copy_to(std::span<float> floats) const {
  palisade::to_floats(type, bytes.first(floats.size() * size_of(type)), floats);
}

std::vector<float> TensorView::to_floats() const {
  std::vector<float> floats(static_cast<std::size_t>(element_count()));
  copy_to(floats);
  return floats;
}

std::vector<std::int64_t> TensorView::to_integers() const {
  if (type != DataType::kI64) throw ModelError("expected a tensor of type I64");
  std::vector<std::int64_t> integers(static_cast<std::size_t>(element_count()));
  std::memcpy(integers.data(), bytes.data(), bytes.size());
  return integers;
}

std::string TensorView::shape_text() const {
  std::string text = "[";
  for (const std::int64_t extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + "]";
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  const auto require = [&](bool fine, const std::string& why) {
    if (!fine) throw ModelError(path_.string() + ": " + why);
  };
  require(descriptor_ >= 0, std::string("cannot be opened: ") + std::strerror(errno));
  try {
    struct stat status {};
    require(::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode), "not a regular file");
    require(status.st_size >= 8, "too short for a safetensors file");
    void* const memory = ::mmap(nullptr, std::size_t(status.st_size), PROT_READ, MAP_PRIVATE, descriptor_, 0);
    require(memory != MAP_FAILED, std::string("cannot be mapped: ") + std::strerror(errno));
    mapped_ = {static_cast<const std::byte*>(memory), std::size_t(status.st_size)};
    read_header();
  } catch (...) {
    close();
    throw;
  }
}

SafetensorsFile::SafetensorsFile(SafetensorsFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      mapped_(std::exchange(other.mapped_, {})),
      tensors_(std::move(other.tensors_)),
      metadata_(std::move(other.metadata_)) {}

SafetensorsFile::~SafetensorsFile() {
  close();
}

void SafetensorsFile::close() {
  if (!mapped_.empty()) ::munmap(const_cast<std::byte*>(mapped_.data()), mapped_.size());
  if (descriptor_ >= 0) ::close(descriptor_);
}

void SafetensorsFile::expect_few_reads() const {
  ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_RANDOM);
}

bool SafetensorsFile::read(std::span<const std::byte> part, std::span<std::byte> out) const {
  assert(part.size() == out.size());
  const off_t begin = part.data() - mapped_.data();
  for (std::size_t done = 0; done < out.size();) {
    const ssize_t count = ::pread(descriptor_, out.data() + done, out.size() - done, begin + off_t(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    done += std::size_t(count);
  }
  return true;
}

const TensorView& SafetensorsFile::at(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw ModelError(path_.string() + ": has no tensor \"" + name + "\"");
  return found->second;
}

void SafetensorsFile::read_header() {
  const auto fail = [&](const std::string& why) { throw ModelError(path_.string() + ": " + why); };
  const auto header_size = load<std::uint64_t>(mapped_.data());
  if (header_size > kMaxHeader) fail("header of " + std::to_string(header_size) + " bytes is over the limit");
  if (header_size > mapped_.size() - 8)
    fail("the file ends inside its header: truncated or no safetensors file");
  const std::string_view text(reinterpret_cast<const char*>(mapped_.data()) + 8, header_size);
  const std::span<const std::byte> data = mapped_.subspan(8 + header_size);
  const Json header = parse_json(text, path_.string() + ": header");
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
      fail_tensor("dtype \"" + type_name + "\" is not known; expected F32, F16 or BF16");
    const auto shape = naturals(entry, "shape");
    if (!shape || shape->size() > 8) fail_tensor("its shape is no list of up to 8 whole numbers");
    const auto offsets = naturals(entry, "data_offsets");
    if (!offsets || offsets->size() != 2) fail_tensor("its data_offsets are no pair of whole numbers");
    const std::uint64_t begin = (*offsets)[0], end = (*offsets)[1];
    if (begin > end || end > data.size()) {
      fail_tensor("its data (bytes " + std::to_string(begin) + " to " + std::to_string(end) +
                  ") lie outside the file: truncated?");
    }
    const auto expected = byte_count(*shape, type->size);
    if (!expected || *expected != end - begin)
      fail_tensor("its shape and dtype do not match its number of bytes");
    ranges.emplace_back(begin, end);
    tensors_[name] = {type->type, *shape, data.subspan(begin, end - begin)};
  }
  std::sort(ranges.begin(), ranges.end());
  std::uint64_t covered = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin < covered) fail("two tensors overlap");
    if (begin > covered)
      fail("bytes " + std::to_string(covered) + " to " + std::to_string(begin) + " belong to no tensor");
    covered = end;
  }
  if (covered != data.size()) fail("bytes after " + std::to_string(covered) + " belong to no tensor");
}

}  // namespace palisade
