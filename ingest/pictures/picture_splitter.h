#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace palisade {

// Finds pictures in a camera's stream: JPEG and PNG by their structure, WebP by its length. Whatever stands
// between them (boundaries, headers, right or wrong) is skipped, because every camera writes it in another
// way.
class PictureSplitter {
 public:
  // A picture of more than `limit` bytes is given up.
  explicit PictureSplitter(std::size_t limit) : limit_(limit) {}

  void push(std::span<const std::byte> bytes);
  // The bytes of the next complete picture, or of one that the next one's beginning cut off.
  std::optional<std::vector<std::byte>> next();
  // Whether an incomplete picture has begun.
  bool in_picture() { return kind_ != Kind::kNone || find_start(); }
  // Pictures given up so far, because they are too large or malformed.
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
  std::size_t scanned_ = 0;  // position in bytes_ of the next marker, chunk or entropy-coded byte
  bool in_scan_ = false;     // inside entropy-coded data of a JPEG
  int given_up_ = 0;
};

}  // namespace palisade
