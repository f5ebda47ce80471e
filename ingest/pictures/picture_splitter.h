#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace palisade {

// Finds the pictures in what a camera sends one after the other: JPEG and PNG by their own structure, WebP by
// its length. What stands between them (boundaries, headers of parts, in whatever form and whether they are
// right or not) is passed over, so that no camera's way of writing it matters.
class PictureSplitter {
 public:
  // A picture of more than `limit` bytes is given up.
  explicit PictureSplitter(std::size_t limit) : limit_(limit) {}

  void push(std::span<const std::byte> bytes);
  // The next picture that is complete, as its bytes; or one that was cut off by the next one's beginning.
  std::optional<std::vector<std::byte>> next();
  // Whether a picture has begun that is not complete.
  bool in_picture() { return kind_ != Kind::kNone || find_start(); }
  // Pictures given up so far, for their size or as their structure makes no sense.
  int given_up() const { return given_up_; }

 private:
  enum class Kind { kNone, kJpeg, kPng, kWebp };
  enum class SearchResult { kMore, kEnd, kBroken };

  bool find_start();
  SearchResult find_end();
  SearchResult jpeg_end();
  SearchResult png_end();
  SearchResult webp_end();
  unsigned at(std::size_t index) const { return std::to_integer<unsigned>(bytes_[index]); }
  std::vector<std::byte> take(std::size_t size);

  const std::size_t limit_;
  std::vector<std::byte> bytes_;  // begins with the picture, where kind_ is not kNone
  Kind kind_ = Kind::kNone;
  std::size_t scanned_ = 0;  // of bytes_: the next marker, chunk or entropy-coded byte
  bool in_scan_ = false;     // of a JPEG: within entropy-coded data
  int given_up_ = 0;
};

}  // namespace palisade
