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

// The pictures of examples as inference takes them: kept ones, else read from their files and then kept. All
// arguments outlive it. Thread-safe.
class PictureLoader {
 public:
  PictureLoader(const Preprocessor& preprocessor, const TransferSettings& settings, KeptPictures& kept)
      : preprocessor_(preprocessor), settings_(settings), kept_(kept) {}

  // Squares. A film begins at its first frame, or with a seed at a random one (fixed stride; short ones are
  // tiled). Throws Error naming the record's file and line.
  std::vector<Image> images(const TransferRecord& record, std::optional<std::uint64_t> seed);
  // The same as pixel values, [3, size * size] each.
  std::vector<Matrix> pixel_values(const TransferRecord& record, std::optional<std::uint64_t> seed);

  // Of the pixel values of a record, in bytes.
  std::size_t size_of(const TransferRecord& record) const;

 private:
  Image picture(const std::filesystem::path& file);
  std::vector<Image> frames_of(const std::filesystem::path& film, std::optional<std::uint64_t> seed);
  // Frames `first`, `first` + frame_step ...; fewer where the film ends before.
  std::vector<Image> kept_frames(const std::filesystem::path& film, std::uint64_t first);
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
  std::mutex mutex_;
  std::map<std::filesystem::path, FilmEnd> ends_;
};

}  // namespace palisade
