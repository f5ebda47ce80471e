#include "service/transfer/kept_pictures.h"

#include <utility>

namespace palisade {
namespace {

// What an entry takes beside its samples: path, nodes of both maps, the vector's header.
constexpr std::size_t kEntryBytes = 512;

std::size_t kept_bytes(const Image& square) {
  return square.bytes().size() + kEntryBytes;
}

}  // namespace

void KeptPictures::begin(const Preprocessor& preprocessor, std::size_t most_bytes) {
  const std::lock_guard lock(mutex_);
  if (preprocessor != preprocessor_ || bytes_ > most_bytes) {
    files_.clear();
    bytes_ = 0;
  }
  preprocessor_ = preprocessor;
  most_bytes_ = most_bytes;
}

Image KeptPictures::find(const std::filesystem::path& file, std::uint64_t frame) const {
  const std::lock_guard lock(mutex_);
  const auto frames = files_.find(file.native());
  if (frames == files_.end()) return {};
  const auto found = frames->second.find(frame);
  return found == frames->second.end() ? Image() : found->second;
}

void KeptPictures::keep(const std::filesystem::path& file, std::uint64_t frame, const Image& square) {
  const std::lock_guard lock(mutex_);
  const std::size_t size = kept_bytes(square);
  if (size > most_bytes_ - bytes_) return;
  if (files_[file.native()].try_emplace(frame, square).second) bytes_ += size;
}

void KeptPictures::keep_picture(const std::filesystem::path& file, const Image& picture) {
  if (has_room()) keep(file, 0, preprocessor_.to_square(picture));
}

void KeptPictures::forget(const std::filesystem::path& file) {
  const std::lock_guard lock(mutex_);
  const auto frames = files_.find(file.native());
  if (frames == files_.end()) return;
  for (const auto& [number, square] : frames->second) bytes_ -= kept_bytes(square);
  files_.erase(frames);
}

std::size_t KeptPictures::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

bool KeptPictures::has_room() const {
  const std::lock_guard lock(mutex_);
  const std::size_t side = std::size_t(preprocessor_.image_size);
  const std::size_t sample = preprocessor_.resize == ResizePreset::kBvVideoFloat ? sizeof(float) : 1;
  return side * side * 3 * sample + kEntryBytes <= most_bytes_ - bytes_;
}

}  // namespace palisade
