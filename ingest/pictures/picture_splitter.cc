#include "ingest/pictures/picture_splitter.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace palisade {
namespace {

constexpr std::size_t kMaxSignature = 12;  // "RIFF", its length, "WEBP"
constexpr std::array<unsigned, 8> kPngSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

// Markers of a JPEG (ITU T.81, table B.1).
constexpr unsigned kStartOfImage = 0xd8;
constexpr unsigned kEndOfImage = 0xd9;
constexpr unsigned kStartOfScan = 0xda;
bool is_restart(unsigned marker) {
  return marker >= 0xd0 && marker <= 0xd7;
}

}  // namespace

void PictureSplitter::push(std::span<const std::byte> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

std::vector<std::byte> PictureSplitter::take(std::size_t size) {
  std::vector<std::byte> picture(bytes_.begin(), bytes_.begin() + std::ptrdiff_t(size));
  bytes_.erase(bytes_.begin(), bytes_.begin() + std::ptrdiff_t(size));
  kind_ = Kind::kNone;
  return picture;
}

bool PictureSplitter::find_start() {
  const auto begins = [&](std::size_t from, const auto& signature) {
    for (std::size_t i = 0; i < signature.size(); ++i) {
      if (at(from + i) != static_cast<unsigned char>(signature[i])) return false;
    }
    return true;
  };
  std::size_t from = 0;
  for (; from + kMaxSignature <= bytes_.size() && kind_ == Kind::kNone; ++from) {
    if (at(from) == 0xff && at(from + 1) == kStartOfImage && at(from + 2) == 0xff) {
      kind_ = Kind::kJpeg;
      scanned_ = 2;
    } else if (at(from) == 0x89 && begins(from, kPngSignature)) {
      kind_ = Kind::kPng;
      scanned_ = kPngSignature.size();
    } else if (at(from) == 'R' && begins(from, std::string_view("RIFF")) &&
               begins(from + 8, std::string_view("WEBP"))) {
      kind_ = Kind::kWebp;
    }
    if (kind_ != Kind::kNone) break;
  }
  in_scan_ = false;
  bytes_.erase(bytes_.begin(), bytes_.begin() + std::ptrdiff_t(std::min(from, bytes_.size())));
  return kind_ != Kind::kNone;
}

PictureSplitter::SearchResult PictureSplitter::jpeg_end() {
  while (scanned_ + 1 < bytes_.size()) {
    if (at(scanned_) != 0xff) {
      if (!in_scan_) return SearchResult::kBroken;
      const auto next = std::find(bytes_.begin() + std::ptrdiff_t(scanned_), bytes_.end(), std::byte(0xff));
      scanned_ = std::size_t(next - bytes_.begin());
      continue;
    }
    const unsigned marker = at(scanned_ + 1);
    if (marker == 0xff) {
      ++scanned_;  // a fill byte before a marker
    } else if (marker == kEndOfImage) {
      scanned_ += 2;
      return SearchResult::kEnd;
    } else if (marker == kStartOfImage) {
      return in_scan_ ? SearchResult::kEnd
                      : SearchResult::kBroken;  // the next picture begins, so this one was cut off
    } else if (is_restart(marker) || marker == 0x01 || (in_scan_ && marker == 0)) {
      scanned_ += 2;
    } else {
      if (scanned_ + 3 >= bytes_.size()) return SearchResult::kMore;
      const std::size_t length = at(scanned_ + 2) << 8 | at(scanned_ + 3);
      if (length < 2 || marker == 0) return SearchResult::kBroken;
      in_scan_ = marker == kStartOfScan;
      scanned_ += 2 + length;
    }
  }
  return SearchResult::kMore;
}

PictureSplitter::SearchResult PictureSplitter::png_end() {
  while (scanned_ + 8 <= bytes_.size()) {
    const std::size_t length =
        std::size_t(at(scanned_)) << 24 | at(scanned_ + 1) << 16 | at(scanned_ + 2) << 8 | at(scanned_ + 3);
    const bool last = at(scanned_ + 4) == 'I' && at(scanned_ + 5) == 'E' && at(scanned_ + 6) == 'N';
    if (length > limit_) return SearchResult::kBroken;
    if (last && scanned_ + 12 + length > bytes_.size()) return SearchResult::kMore;
    scanned_ += 12 + length;
    if (last) return SearchResult::kEnd;
  }
  return SearchResult::kMore;
}

PictureSplitter::SearchResult PictureSplitter::webp_end() {
  const std::size_t length = std::size_t(at(7)) << 24 | at(6) << 16 | at(5) << 8 | at(4);
  if (length > limit_) return SearchResult::kBroken;
  scanned_ = 8 + length + length % 2;
  return scanned_ <= bytes_.size() ? SearchResult::kEnd : SearchResult::kMore;
}

PictureSplitter::SearchResult PictureSplitter::find_end() {
  if (kind_ == Kind::kJpeg) return jpeg_end();
  return kind_ == Kind::kPng ? png_end() : webp_end();
}

std::optional<std::vector<std::byte>> PictureSplitter::next() {
  while (kind_ != Kind::kNone || find_start()) {
    const SearchResult found = find_end();
    if (found == SearchResult::kEnd && scanned_ <= limit_) return take(scanned_);
    if (found == SearchResult::kMore && bytes_.size() <= limit_) return std::nullopt;
    // The beginning may have been a false match, so the search goes on behind it.
    ++given_up_;
    take(2);
  }
  return std::nullopt;
}

}  // namespace palisade
