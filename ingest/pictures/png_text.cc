#include "ingest/pictures/png_text.h"

#include <zlib.h>

#include <algorithm>

namespace palisade {
namespace {

// Damaged data gives as much as can be read.
std::string expanded(std::string_view compressed) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return {};
  std::string text(kMaxPngText, '\0');
  // zlib does not write to its input, though next_in is not const by default.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = uInt(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = uInt(text.size());
  inflate(&stream, Z_SYNC_FLUSH);
  text.resize(text.size() - stream.avail_out);
  inflateEnd(&stream);
  return text;
}

// Takes the text up to a zero byte; nothing where there is none.
std::optional<std::string_view> take_word(std::string_view& rest) {
  const std::size_t end = rest.find('\0');
  if (end == rest.npos) return std::nullopt;
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return word;
}

std::string text_of(std::string_view stored, bool compressed) {
  return compressed ? expanded(stored) : std::string(stored.substr(0, kMaxPngText));
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<PngText> png_text(std::string_view kind, Bytes chunk,
                                std::span<const std::string_view> keywords) {
  if (kind != "tEXt" && kind != "zTXt" && kind != "iTXt") return std::nullopt;
  std::string_view rest(reinterpret_cast<const char*>(chunk.data()), chunk.size());
  const auto keyword = take_word(rest);
  if (!keyword || std::ranges::find(keywords, *keyword) == keywords.end()) return std::nullopt;
  if (kind == "tEXt") return PngText{*keyword, text_of(rest, false)};
  bool compressed = true;
  if (kind == "iTXt") {
    if (rest.empty()) return std::nullopt;
    compressed = rest[0] != 0;
    rest.remove_prefix(1);
  }
  if (rest.empty() || rest[0] != 0) return std::nullopt;  // compression method other than zlib
  rest.remove_prefix(1);
  // iTXt has a language and a translated keyword here.
  if (kind == "iTXt" && !(take_word(rest) && take_word(rest))) return std::nullopt;
  return PngText{*keyword, text_of(rest, compressed)};
}

std::string raw_profile(std::string_view text) {
  constexpr std::string_view kSpace = " \n\r\t";
  const auto take_token = [&] {
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    text.remove_prefix(std::min(text.find_first_of(kSpace), text.size()));
  };
  take_token();  // its name
  take_token();  // how many bytes
  std::string bytes;
  int high = -1;
  for (const char c : text) {
    if (kSpace.find(c) != kSpace.npos) continue;
    const int digit = digit_of(c);
    if (digit < 0) break;
    if (high >= 0) bytes.push_back(char(high * 16 + digit));
    high = high >= 0 ? -1 : digit;
  }
  return bytes;
}

}  // namespace palisade
