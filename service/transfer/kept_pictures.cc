#include "service/transfer/kept_pictures.h"

#include <algorithm>
#include <utility>

namespace palisade {
namespace {

// What an entry takes beside its samples: path, nodes of both maps, the vector's header.
constexpr std::size_t kEntryBytes = 512;

std::size_t kept_bytes(const Image& square) {
  return square.bytes().size() + kEntryBytes;
}

std::size_t kept_bytes(ConstMatrixView states) {
  return std::size_t(states.rows) * std::size_t(states.cols) * sizeof(float) + kEntryBytes;
}

}  // namespace

void KeptPictures::begin(const Preprocessor& preprocessor, std::size_t most_bytes, const std::string& tower) {
  const std::lock_guard lock(mutex_);
  if (preprocessor != preprocessor_ || bytes_ > most_bytes) {
    files_.clear();
    squares_.clear();
    bytes_ = states_bytes_ = 0;
  }
  if (!tower.empty() && tower != tower_) {
    forget_states();
    tower_ = tower;
  }
  preprocessor_ = preprocessor;
  most_bytes_ = most_bytes;
}

const KeptPictures::Entry* KeptPictures::entry(const PictureName& name) const {
  const auto frames = files_.find(name.file.native());
  if (frames == files_.end()) return nullptr;
  const auto found = frames->second.find(name.frame);
  return found == frames->second.end() ? nullptr : &found->second;
}

void KeptPictures::drop_square(Entry& entry) {
  if (!entry.square.empty()) bytes_ -= kept_bytes(entry.square);
  entry.square = {};
}

void KeptPictures::drop_states(Entry& entry) {
  if (!entry.states) return;
  bytes_ -= kept_bytes(*entry.states);
  states_bytes_ -= kept_bytes(*entry.states);
  entry.states = nullptr;
}

void KeptPictures::drop_oldest_square() {
  const PictureName oldest = std::move(squares_.front());
  squares_.pop_front();
  const auto frames = files_.find(oldest.file.native());
  if (frames == files_.end()) return;
  const auto found = frames->second.find(oldest.frame);
  if (found != frames->second.end()) drop_square(found->second);
}

void KeptPictures::forget_states() {
  for (auto& [file, frames] : files_) {
    for (auto& [number, entry] : frames) drop_states(entry);
  }
}

Image KeptPictures::find(const PictureName& name) const {
  const std::lock_guard lock(mutex_);
  const Entry* const found = entry(name);
  return found ? found->square : Image();
}

void KeptPictures::keep(const PictureName& name, const Image& square) {
  const std::lock_guard lock(mutex_);
  const std::size_t size = kept_bytes(square);
  if (size > most_bytes_ - bytes_) return;
  Entry& entry = files_[name.file.native()][name.frame];
  if (!entry.square.empty()) return;
  entry.square = square;
  bytes_ += size;
  squares_.push_back(name);
}

void KeptPictures::keep_picture(const std::filesystem::path& file, const Image& picture) {
  if (has_room()) keep({file}, preprocessor_.to_square(picture));
}

void KeptPictures::forget(const std::filesystem::path& file) {
  const std::lock_guard lock(mutex_);
  const auto frames = files_.find(file.native());
  if (frames == files_.end()) return;
  for (auto& [number, entry] : frames->second) drop_square(entry), drop_states(entry);
  files_.erase(frames);
}

KeptPictures::States KeptPictures::find_states(const PictureName& name) const {
  const std::lock_guard lock(mutex_);
  const Entry* const found = entry(name);
  return found ? found->states : nullptr;
}

void KeptPictures::keep_states(const PictureName& name, ConstMatrixView states) {
  const std::lock_guard lock(mutex_);
  const std::size_t size = kept_bytes(states);
  const Entry* const known = entry(name);
  if ((known && known->states) || size > most_bytes_ - states_bytes_) return;
  Entry& entry = files_[name.file.native()][name.frame];
  drop_square(entry);
  while (size > most_bytes_ - bytes_ && !squares_.empty()) drop_oldest_square();
  Matrix kept(states.rows, states.cols);
  for (int row = 0; row < states.rows; ++row) std::ranges::copy(states.row(row), kept.row(row).begin());
  entry.states = std::make_shared<const Matrix>(std::move(kept));
  bytes_ += size;
  states_bytes_ += size;
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
