#include "service/transfer/picture_loader.h"

#include "base/error.h"
#include "base/random.h"
#include "ingest/open_source.h"
#include "ingest/pictures/picture.h"
#include "ingest/source/source.h"

namespace palisade {
namespace {

// Short films are tiled: 0, 1, 2, 0, 1, 2 ...
template <typename Frame>
void tile(std::vector<Frame>& frames, std::size_t count) {
  for (const std::size_t seen = frames.size(); seen > 0 && frames.size() < count;)
    frames.push_back(frames[frames.size() % seen]);
}

}  // namespace

namespace fs = std::filesystem;

PictureLoader::PictureLoader(const Preprocessor& preprocessor, const TransferSettings& settings,
                             KeptPictures& kept)
    : preprocessor_(preprocessor),
      settings_(settings),
      kept_(kept),
      keeps_states_(!settings.trains(ModelPart::kImageEncoder)) {}

std::vector<Image> PictureLoader::images(const TransferRecord& record, std::optional<std::uint64_t> seed) {
  try {
    if (!record.video.empty()) return frames_of(record.video, first_frame(record.video, seed));
    std::vector<Image> images;
    for (const fs::path& file : record.pictures) images.push_back(picture(file));
    return images;
  } catch (const std::exception& error) {
    throw Error(record.place + ": " + error.what());
  }
}

LoadedPictures PictureLoader::load(const TransferRecord& record, std::optional<std::uint64_t> seed) {
  try {
    return record.video.empty() ? load_pictures(record) : load_film(record.video, seed);
  } catch (const std::exception& error) {
    throw Error(record.place + ": " + error.what());
  }
}

LoadedPictures PictureLoader::load_pictures(const TransferRecord& record) {
  LoadedPictures loaded;
  for (const fs::path& file : record.pictures) {
    loaded.names.push_back({file});
    loaded.states.push_back(keeps_states_ ? kept_.find_states({file}) : nullptr);
    loaded.values.push_back(loaded.states.back() ? Matrix() : preprocessor_.pixel_values(picture(file)));
  }
  return loaded;
}

LoadedPictures PictureLoader::load_film(const fs::path& film, std::optional<std::uint64_t> seed) {
  const std::uint64_t first = first_frame(film, seed);
  LoadedPictures loaded;
  if (keeps_states_) loaded.states = kept_states(film, first);
  if (loaded.states.empty()) {
    for (const Image& image : frames_of(film, first))
      loaded.values.push_back(preprocessor_.pixel_values(image));
    loaded.states.resize(loaded.values.size());
  } else {
    loaded.values.resize(loaded.states.size());
  }
  loaded.names = frame_names(film, first);
  tile(loaded.names, loaded.values.size());
  return loaded;
}

std::size_t PictureLoader::size_of(const TransferRecord& record) const {
  const std::size_t side = std::size_t(preprocessor_.image_size);
  return (record.video.empty() ? record.pictures.size() : std::size_t(settings_.frames)) * side * side * 3 *
         sizeof(float);
}

Image PictureLoader::picture(const fs::path& file) {
  Image square = kept_.find({file});
  if (!square.empty()) return square;
  square = preprocessor_.to_square(read_picture(file));
  kept_.keep({file}, square);
  return square;
}

std::uint64_t PictureLoader::first_frame(const fs::path& film, std::optional<std::uint64_t> seed) {
  if (!seed) return 0;
  const std::uint64_t frames = find_end(film).frames;
  const auto count = std::uint64_t(settings_.frames);
  const std::uint64_t needed = (count - 1) * std::uint64_t(settings_.frame_step) + 1;
  return frames > needed ? chosen_below(frames - needed + 1, *seed) : 0;
}

std::vector<Image> PictureLoader::frames_of(const fs::path& film, std::uint64_t first) {
  std::vector<Image> images = kept_frames(film, first);
  if (images.empty()) images = read_frames(film, first);
  if (images.empty()) throw Error(film.string() + ": holds no frame");
  tile(images, std::size_t(settings_.frames));
  return images;
}

std::vector<PictureName> PictureLoader::frame_names(const fs::path& film, std::uint64_t first) {
  const std::optional<FilmEnd> end = known_end(film);
  std::vector<PictureName> names;
  for (std::uint64_t number = first; names.size() < std::size_t(settings_.frames);
       number += std::uint64_t(settings_.frame_step)) {
    if (end && number >= end->number) break;
    names.push_back({film, number});
  }
  return names;
}

std::vector<Image> PictureLoader::kept_frames(const fs::path& film, std::uint64_t first) {
  std::vector<Image> images;
  for (const PictureName& name : frame_names(film, first)) {
    images.push_back(kept_.find(name));
    if (images.back().empty()) return {};
  }
  return images;
}

std::vector<KeptPictures::States> PictureLoader::kept_states(const fs::path& film, std::uint64_t first) {
  std::vector<KeptPictures::States> states;
  for (const PictureName& name : frame_names(film, first)) {
    states.push_back(kept_.find_states(name));
    if (!states.back()) return {};
  }
  tile(states, std::size_t(settings_.frames));
  return states;
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
    kept_.keep({film, frame->stamp.number}, images.back());
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
