#include "service/streams/reference_pictures.h"

#include <utility>

#include "ingest/pictures/picture.h"

namespace palisade {

void ReferencePictures::open(const std::string& name, const std::filesystem::path& file, int side,
                             ResizePreset preset) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = references_.find(name);
    if (known != references_.end() && known->second.file == file) return;
  }
  Reference reference{.file = file};
  std::error_code error;
  if (!file.empty() && std::filesystem::exists(file, error)) {
    const Image picture = read_picture(file);
    Frame frame;
    frame.stream = name;
    frame.source_width = picture.width();
    frame.source_height = picture.height();
    frame.stamp.time_source = TimeSource::kFile;
    frame.stamp.wall = std::chrono::floor<std::chrono::microseconds>(
        std::chrono::file_clock::to_sys(std::filesystem::last_write_time(file)));
    const bool fits = picture.width() == side && picture.height() == side;
    frame.image = fits ? picture : resize(picture, side, side, preset);
    reference.frame = std::move(frame);
  }
  const std::lock_guard lock(mutex_);
  references_[name] = std::move(reference);
}

void ReferencePictures::set(const std::string& name, Frame frame) {
  std::filesystem::path file;
  {
    const std::lock_guard lock(mutex_);
    file = references_[name].file;
  }
  if (!file.empty()) write_png(file, frame.image);
  const std::lock_guard lock(mutex_);
  references_[name].frame = std::move(frame);
}

std::optional<Frame> ReferencePictures::get(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = references_.find(name);
  return found == references_.end() ? std::nullopt : found->second.frame;
}

}  // namespace palisade
