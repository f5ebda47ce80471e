#include "ingest/http/mp4_outline.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

namespace palisade {
namespace {

// A larger moov has tables of samples, so that the file is a film.
constexpr std::size_t kMaxHeader = 1u << 20;
// Limit for boxes before moov and media data; files have a few.
constexpr int kMaxBoxes = 32;

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

struct Box {
  std::string_view type;
  std::string_view body;   // as much as was given
  std::uint64_t size = 0;  // includes the header
  bool whole = false;
};

// The box at the beginning of `bytes`; its size is 0 if there is none.
Box box_at(std::string_view bytes) {
  if (bytes.size() < 8) return {};
  std::uint64_t size = big_endian(bytes.substr(0, 4));
  std::size_t header = 8;
  if (size == 1) {
    if (bytes.size() < 16) return {};
    size = big_endian(bytes.substr(8, 8));
    header = 16;
  }
  if (size == 0) size = std::numeric_limits<std::uint64_t>::max();  // the box extends to the end of the file
  if (size < header) return {};
  const std::size_t there = std::size_t(std::min<std::uint64_t>(size, bytes.size()));
  return {bytes.substr(4, 4), bytes.substr(header, there - header), size, size <= bytes.size()};
}

Box child(std::string_view bytes, std::string_view type) {
  while (true) {
    const Box box = box_at(bytes);
    if (box.size == 0 || box.type == type) return box;
    if (!box.whole) return {};
    bytes.remove_prefix(std::size_t(box.size));
  }
}

// Whether the duration in an mvhd or mehd box is set. It follows version and flags and, in mvhd, two times
// and the time scale.
bool has_duration(std::string_view body, bool movie_header) {
  if (body.empty()) return false;
  const bool wide = body[0] == 1;
  const std::size_t at = 4 + (movie_header ? (wide ? 20u : 12u) : 0u);
  const std::size_t size = wide ? 8 : 4;
  if (body.size() < at + size) return false;
  const std::uint64_t duration = big_endian(body.substr(at, size));
  const std::uint64_t unknown = wide ? std::numeric_limits<std::uint64_t>::max() : 0xffff'ffffu;
  return duration != 0 && duration != unknown;
}

void read_moov(std::string_view moov, Mp4Outline& outline) {
  const Box extends = child(moov, "mvex");
  outline.fragmented = extends.size != 0;
  const Box length = outline.fragmented ? child(extends.body, "mehd") : child(moov, "mvhd");
  outline.whole_length = length.size != 0 && has_duration(length.body, !outline.fragmented);
}

}  // namespace

Mp4Outline outline_mp4(std::span<const std::byte> start) {
  const std::string_view all(reinterpret_cast<const char*>(start.data()), start.size());
  Mp4Outline outline;
  std::size_t at = 0;
  for (int boxes = 0; boxes < kMaxBoxes && at <= kMaxHeader; ++boxes) {
    const Box box = box_at(all.substr(std::min(at, all.size())));
    if (at == 0) {
      constexpr std::string_view kFirst[] = {"ftyp", "styp", "moov", "mdat", "wide", "free", "skip", "pnot"};
      outline.is_mp4 = box.size != 0 && std::ranges::find(kFirst, box.type) != std::end(kFirst);
      if (!outline.is_mp4) return outline;
    }
    if (box.size == 0) {
      outline.wanted = at + 16;
      return outline;
    }
    if (box.type == "mdat") {
      outline.index_behind = true;
      return outline;
    }
    if (box.type == "moof") return outline;
    if (box.type == "moov") {
      if (box.whole) read_moov(box.body, outline);
      if (!box.whole && box.size <= kMaxHeader) outline.wanted = at + std::size_t(box.size);
      outline.whole_length = outline.whole_length || box.size > kMaxHeader;
      return outline;
    }
    if (box.size > kMaxHeader) return outline;
    at += std::size_t(box.size);
  }
  return outline;
}

}  // namespace palisade
