#include "model/masks/npz.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <span>

#include "base/format.h"
#include "base/joined.h"
#include "model/error.h"

namespace palisade {
namespace {

static_assert(std::endian::native == std::endian::little);

// PKWARE's APPNOTE.TXT, 4.3: signatures and lengths of the records that a small archive has.
constexpr std::uint32_t kLocal = 0x04034b50, kDirectory = 0x02014b50, kEnd = 0x06054b50;
constexpr std::size_t kLocalBytes = 30, kDirectoryBytes = 46, kEndBytes = 22, kMaxComment = 0xffff;
constexpr std::uint16_t kStored = 0, kDeflated = 8, kEncrypted = 1;
constexpr std::string_view kEnding = ".npy";

// A number of the archive; it lies in the bytes.
template <class Number>
Number number_at(std::span<const std::byte> bytes, std::size_t at) {
  Number number;
  std::memcpy(&number, bytes.data() + at, sizeof(number));
  return number;
}

// Where the end record begins: the last one, behind which there is nothing but its comment.
std::optional<std::size_t> end_record(std::span<const std::byte> file) {
  if (file.size() < kEndBytes) return std::nullopt;
  const std::size_t last = file.size() - kEndBytes;
  const std::size_t first = last - std::min(last, kMaxComment);
  for (std::size_t at = last + 1; at-- > first;) {
    if (number_at<std::uint32_t>(file, at) == kEnd &&
        at + kEndBytes + number_at<std::uint16_t>(file, at + 20) == file.size())
      return at;
  }
  return std::nullopt;
}

// All of `out` from a raw deflate stream that ends there.
bool expand(std::span<const std::byte> in, std::span<std::byte> out) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return false;
  // zlib does not write to its input, though next_in is not const by default.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
  stream.avail_in = uInt(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = uInt(out.size());
  const bool whole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0;
  inflateEnd(&stream);
  return whole;
}

// The Python dictionary that a .npy begins with: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
class NpyHeader {
 public:
  explicit NpyHeader(std::string_view text) : text_(text) {}

  // What stands after 'key': up to a comma or a bracket; empty where there is no such key.
  std::string_view word(std::string_view key) const {
    std::string_view rest = after(key);
    return rest.substr(0, rest.find_first_of(",}("));
  }
  // Nothing where there is no shape of at most eight numbers.
  std::optional<std::vector<std::int64_t>> shape() const {
    std::string_view rest = after("shape");
    const std::size_t end = rest.find(')');
    if (rest.empty() || rest.front() != '(' || end == rest.npos) return std::nullopt;
    rest = rest.substr(1, end - 1);
    std::vector<std::int64_t> shape;
    while (true) {
      rest.remove_prefix(std::min(rest.find_first_not_of(" "), rest.size()));
      if (rest.empty()) return shape;
      std::int64_t number = 0;
      std::size_t digits = 0;
      for (; digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9'; ++digits) {
        number = 10 * number + (rest[digits] - '0');
        if (number > std::int64_t(NpzFile::kMaxBytes)) return std::nullopt;
      }
      if (digits == 0 || shape.size() == 8) return std::nullopt;
      shape.push_back(number);
      rest.remove_prefix(digits);
      if (!rest.empty() && rest.front() != ',') return std::nullopt;
      rest.remove_prefix(rest.empty() ? 0 : 1);
    }
  }

 private:
  std::string_view after(std::string_view key) const {
    const std::size_t at = text_.find(format("'{}':", key));
    if (at == text_.npos) return {};
    std::string_view rest = text_.substr(at + key.size() + 3);
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    return rest;
  }
  std::string_view text_;
};

// "'<f4'" without what does not count.
std::string_view trimmed_end(std::string_view word) {
  return word.substr(0, word.find_last_not_of(' ') + 1);
}

// Where the values begin, and the header before them; nothing where it is no .npy.
std::optional<std::pair<std::size_t, NpyHeader>> header_of(std::span<const std::byte> npy) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  const std::string_view text(reinterpret_cast<const char*>(npy.data()), npy.size());
  if (!text.starts_with(kMagic) || text.size() < 12) return std::nullopt;
  const bool is_long = text[6] != 1;  // versions 2 and 3
  const std::size_t begin = is_long ? 12 : 10;
  const std::size_t length = is_long ? number_at<std::uint32_t>(npy, 8) : number_at<std::uint16_t>(npy, 8);
  if (text[6] < 1 || text[6] > 3 || length > text.size() - begin) return std::nullopt;
  return std::pair(begin + length, NpyHeader(text.substr(begin, length)));
}

}  // namespace

std::string NpyArray::shape_text() const {
  std::vector<std::string> sides;
  for (const std::int64_t side : shape) sides.push_back(format("{}", side));
  return format("[{}]", joined(sides, ", "));
}

void NpzFile::refuse(const std::string& what) const {
  throw ModelError(format("{}: {}", path_.string(), what));
}

NpzFile::NpzFile(const std::filesystem::path& path) : path_(path) {
  const ReadFile file(path);
  if (file.size() > kMaxBytes)
    refuse(format("is larger than {} MB, which no mask decoder is; give vae-oid.npz", kMaxBytes >> 20));
  file_.resize(file.size());
  file.read(0, file_);
  const auto end = end_record(file_);
  if (!end) refuse("is no .npz file (a zip archive), or its end is missing; get it again");
  const std::size_t count = number_at<std::uint16_t>(file_, *end + 10);
  std::size_t at = number_at<std::uint32_t>(file_, *end + 16);
  if (count > kMaxArrays || at > *end) refuse("its directory is damaged; get it again");
  for (std::size_t i = 0; i < count; ++i) {
    if (*end - at < kDirectoryBytes || number_at<std::uint32_t>(file_, at) != kDirectory)
      refuse("its directory is damaged; get it again");
    const auto method = number_at<std::uint16_t>(file_, at + 10);
    const std::size_t name_bytes = number_at<std::uint16_t>(file_, at + 28);
    const std::size_t record = kDirectoryBytes + name_bytes + number_at<std::uint16_t>(file_, at + 30) +
                               number_at<std::uint16_t>(file_, at + 32);
    if (record > *end - at) refuse("its directory is damaged; get it again");
    std::string name(reinterpret_cast<const char*>(file_.data()) + at + kDirectoryBytes, name_bytes);
    const Entry entry{.crc = number_at<std::uint32_t>(file_, at + 16),
                      .deflated = method == kDeflated,
                      .stored = number_at<std::uint32_t>(file_, at + 20),
                      .expanded = number_at<std::uint32_t>(file_, at + 24),
                      .header = number_at<std::uint32_t>(file_, at + 42)};
    const bool is_read = (method == kStored || method == kDeflated) &&
                         (number_at<std::uint16_t>(file_, at + 8) & kEncrypted) == 0;
    at += record;
    if (!name.ends_with(kEnding)) continue;
    name.resize(name.size() - kEnding.size());
    if (!is_read) refuse(format("\"{}\" is stored in a way that NumPy does not use", name));
    if (!entries_.emplace(name, entry).second) refuse(format("\"{}\" is there twice", name));
  }
}

// A local header repeats what the directory says, and may be of another length.
std::vector<std::byte> NpzFile::bytes_of(const std::string& name, const Entry& entry) const {
  const std::size_t size = file_.size();
  if (entry.header > size || size - entry.header < kLocalBytes ||
      number_at<std::uint32_t>(file_, entry.header) != kLocal)
    refuse(format("\"{}\" is not where its directory says; get the file again", name));
  const std::size_t begin = entry.header + kLocalBytes + number_at<std::uint16_t>(file_, entry.header + 26) +
                            number_at<std::uint16_t>(file_, entry.header + 28);
  if (begin > size || entry.stored > size - begin)
    refuse(format("\"{}\" goes beyond the end of the file; get the file again", name));
  const auto stored = std::span(file_).subspan(begin, entry.stored);
  // Deflate makes at most 1,032 bytes of one.
  if (entry.expanded > kMaxBytes ||
      (entry.deflated ? entry.expanded / 1032 > entry.stored : entry.expanded != entry.stored))
    refuse(format("\"{}\" cannot be as large as it says", name));
  std::vector<std::byte> bytes(entry.expanded);
  const bool whole =
      entry.deflated ? expand(stored, bytes) : (std::ranges::copy(stored, bytes.begin()), true);
  if (!whole || crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), uInt(bytes.size())) != entry.crc)
    refuse(format("\"{}\" is damaged; get the file again", name));
  return bytes;
}

NpyArray NpzFile::array(const std::string& name) const {
  const auto entry = entries_.find(name);
  if (entry == entries_.end()) refuse(format("has no array \"{}\"", name));
  const std::vector<std::byte> npy = bytes_of(name, entry->second);
  const auto header = header_of(npy);
  const auto shape = header ? header->second.shape() : std::nullopt;
  if (!shape) refuse(format("\"{}\" has no header of NumPy's", name));
  if (trimmed_end(header->second.word("descr")) != "'<f4'" ||
      trimmed_end(header->second.word("fortran_order")) != "False")
    refuse(format("\"{}\" is not of 32-bit floats in row-major order", name));
  NpyArray array{.shape = *shape};
  std::size_t count = 1;
  for (const std::int64_t side : *shape) {
    if (side > 0 && count > kMaxBytes / std::size_t(side)) count = kMaxBytes;  // more than any file has
    count *= std::size_t(side);
  }
  if (npy.size() - header->first != count * sizeof(float))
    refuse(format("\"{}\" of shape {} holds {} bytes", name, array.shape_text(), npy.size() - header->first));
  array.values.resize(count);
  std::memcpy(array.values.data(), npy.data() + header->first, count * sizeof(float));
  return array;
}

std::vector<std::string> NpzFile::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

}  // namespace palisade
