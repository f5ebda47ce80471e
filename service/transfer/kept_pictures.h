#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "frames/image.h"
#include "model/config/preprocessor.h"

namespace palisade {

// A picture, or a frame of a film by its number; a picture is frame 0 of its file.
struct PictureName {
  std::filesystem::path file;
  std::uint64_t frame = 0;
};

// Pictures and frames of films as the model's square, kept in memory up to a limit. What comes first stays:
// of every epoch the same share then needs no file, whatever the order. Instead of a square there may be what
// an image tower that is not trained makes of it, for which squares give way. Thread-safe.
class KeptPictures {
 public:
  using States = std::shared_ptr<const Matrix>;  // [tokens, width]

  // Squares that another preprocessor made, states of another tower, and all that is over the limit together
  // are forgotten. `tower` names a tower; empty: none, and states stay for the next that has the same.
  void begin(const Preprocessor& preprocessor, std::size_t most_bytes, const std::string& tower = {});

  // Empty where it is not kept.
  Image find(const PictureName& name) const;
  // Does nothing where the limit is reached.
  void keep(const PictureName& name, const Image& square);
  // The same of a whole picture, which is resized only where there is room for it.
  void keep_picture(const std::filesystem::path& file, const Image& picture);
  void forget(const std::filesystem::path& file);

  // Null where they are not kept.
  States find_states(const PictureName& name) const;
  // Instead of its square. Does nothing where other states have taken all memory.
  void keep_states(const PictureName& name, ConstMatrixView states);

  std::size_t bytes() const;

 private:
  struct Entry {
    Image square;
    States states;
  };
  using Frames = std::unordered_map<std::uint64_t, Entry>;  // by number

  // Holding mutex_.
  const Entry* entry(const PictureName& name) const;
  void drop_square(Entry& entry);
  void drop_states(Entry& entry);
  void drop_oldest_square();
  void forget_states();
  bool has_room() const;

  mutable std::mutex mutex_;
  Preprocessor preprocessor_;
  std::string tower_;
  std::size_t most_bytes_ = 0;
  std::size_t bytes_ = 0;                          // of all
  std::size_t states_bytes_ = 0;                   // of states alone
  std::unordered_map<std::string, Frames> files_;  // by path
  std::deque<PictureName> squares_;                // in the order in which they came; some are gone by now
};

}  // namespace palisade
