#include "service/transfer/picture_loader.h"

#include "base/error.h"
#include "base/random.h"
#include "ingest/open_source.h"
#include "ingest/pictures/picture.h"
#include "ingest/source/source.h"

namespace palisade {

namespace fs = std::filesystem;

std::vector<Image> PictureLoader::images(const TransferRecord& record, std::optional<std::uint64_t> seed) {
  try {
    if (!record.video.empty()) return frames_of(record.video, seed);
    std::vector<Image> images;
    for (const fs::path& file : record.pictures) images.push_back(picture(file));
    return images;
  } catch (const std::exception& error) {
    throw Error(record.place + ": " + error.what());
  }
}

std::vector<Matrix> PictureLoader::pixel_values(const TransferRecord& record,
                                                std::optional<std::uint64_t> seed) {
  std::vector<Matrix> values;
  for (const Image& image : images(record, seed)) values.push_back(preprocessor_.pixel_values(image));
  return values;
}

std::size_t PictureLoader::size_of(const TransferRecord& record) const {
  const std::size_t side = std::size_t(preprocessor_.image_size);
  return (record.video.empty() ? record.pictures.size() : std::size_t(settings_.frames)) * side * side * 3 *
         sizeof(float);
}

Image PictureLoader::picture(const fs::path& file) {
  Image square = kept_.find(file);
  if (!square.empty()) return square;
  square = preprocessor_.to_square(read_picture(file));
  kept_.keep(file, 0, square);
  return square;
}

std::vector<Image> PictureLoader::frames_of(const fs::path& film, std::optional<std::uint64_t> seed) {
  const auto count = std::size_t(settings_.frames);
  std::uint64_t first = 0;
  if (seed) {
    const std::uint64_t frames = find_end(film).frames;
    const std::uint64_t needed = (count - 1) * std::uint64_t(settings_.frame_step) + 1;
    if (frames > needed) first = chosen_below(frames - needed + 1, *seed);
  }
  std::vector<Image> images = kept_frames(film, first);
  if (images.empty()) images = read_frames(film, first);
  if (images.empty()) throw Error(film.string() + ": holds no frame");
  // Short films are tiled: 0, 1, 2, 0, 1, 2 ...
  for (const std::size_t seen = images.size(); images.size() < count;)
    images.push_back(images[images.size() % seen]);
  return images;
}

std::vector<Image> PictureLoader::kept_frames(const fs::path& film, std::uint64_t first) {
  const std::optional<FilmEnd> end = known_end(film);
  std::vector<Image> images;
  for (std::uint64_t number = first; images.size() < std::size_t(settings_.frames);
       number += std::uint64_t(settings_.frame_step)) {
    if (end && number >= end->number) break;
    images.push_back(kept_.find(film, number));
    if (images.back().empty()) return {};
  }
  return images;
}

std::vector<Image> PictureLoader::read_frames(const fs::path& film, std::uint64_t first) {
  const auto step = std::uint64_t(settings_.frame_step);
  FilmEnd end;
  std::vector<Image> images;
  const auto source = open_source({.url = film.string()}, {});
  while (images.size() < std::size_t(settings_.frames)) {
    auto frame = source->next([&](const FrameStamp& stamp) {
      end = {end.frames + 1, stamp.number + 1};
      return stamp.number >= first && (stamp.number - first) % step == 0;
    });
    if (!frame) {
      tell_end(film, end);
      break;
    }
    images.push_back(preprocessor_.to_square(frame->image));
    kept_.keep(film, frame->stamp.number, images.back());
  }
  return images;
}

PictureLoader::FilmEnd PictureLoader::find_end(const fs::path& film) {
  if (const auto known = known_end(film)) return *known;
  FilmEnd end;
  const auto source = open_source({.url = film.string()}, {});
  while (source->next([&](const FrameStamp& stamp) {
    end = {end.frames + 1, stamp.number + 1};
    return false;
  })) {
  }
  tell_end(film, end);
  return end;
}

std::optional<PictureLoader::FilmEnd> PictureLoader::known_end(const fs::path& film) {
  const std::lock_guard lock(mutex_);
  const auto known = ends_.find(film);
  return known == ends_.end() ? std::nullopt : std::optional(known->second);
}

void PictureLoader::tell_end(const fs::path& film, const FilmEnd& end) {
  const std::lock_guard lock(mutex_);
  ends_.emplace(film, end);
}

}  // namespace palisade
