#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "service/transfer/kept_pictures.h"
#include "service/transfer/transfer_data.h"

namespace palisade {

// The pictures of one example, each with its name.
struct LoadedPictures {
  std::vector<Matrix> values;  // [3, size * size] each; empty where there are states
  std::vector<KeptPictures::States> states;
  std::vector<PictureName> names;
};

// The pictures of examples as inference takes them: kept ones, else read from their files and then kept. All
// arguments outlive it. Thread-safe.
class PictureLoader {
 public:
  PictureLoader(const Preprocessor& preprocessor, const TransferSettings& settings, KeptPictures& kept);

  // Squares. A film begins at its first frame, or with a seed at a random one (fixed stride; short ones are
  // tiled). Throws Error naming the record's file and line.
  std::vector<Image> images(const TransferRecord& record, std::optional<std::uint64_t> seed);
  // The same as pixel values, or as states where the image tower is not trained and they are kept.
  LoadedPictures load(const TransferRecord& record, std::optional<std::uint64_t> seed);
  // Whether the image tower is not trained, so that what it makes of a picture may be kept.
  bool keeps_states() const { return keeps_states_; }
  void keep_states(const PictureName& name, ConstMatrixView states) { kept_.keep_states(name, states); }

  // Of the pixel values of a record, in bytes.
  std::size_t size_of(const TransferRecord& record) const;

 private:
  Image picture(const std::filesystem::path& file);
  std::uint64_t first_frame(const std::filesystem::path& film, std::optional<std::uint64_t> seed);
  std::vector<Image> frames_of(const std::filesystem::path& film, std::uint64_t first);
  LoadedPictures load_film(const std::filesystem::path& film, std::optional<std::uint64_t> seed);
  LoadedPictures load_pictures(const TransferRecord& record);
  // Frames `first`, `first` + frame_step ...; fewer where the film is known to end before.
  std::vector<PictureName> frame_names(const std::filesystem::path& film, std::uint64_t first);
  // These frames, as far as there are any; nothing where one of them is not kept.
  std::vector<Image> kept_frames(const std::filesystem::path& film, std::uint64_t first);
  std::vector<KeptPictures::States> kept_states(const std::filesystem::path& film, std::uint64_t first);
  std::vector<Image> read_frames(const std::filesystem::path& film, std::uint64_t first);
  // Where a film ends, which reading it to its end tells.
  struct FilmEnd {
    std::uint64_t frames = 0;
    std::uint64_t number = 0;  // above the last frame's
  };
  FilmEnd find_end(const std::filesystem::path& film);
  std::optional<FilmEnd> known_end(const std::filesystem::path& film);
  void tell_end(const std::filesystem::path& film, const FilmEnd& end);

  const Preprocessor& preprocessor_;
  const TransferSettings& settings_;
  KeptPictures& kept_;
  const bool keeps_states_;
  std::mutex mutex_;
  std::map<std::filesystem::path, FilmEnd> ends_;
};

}  // namespace palisade
