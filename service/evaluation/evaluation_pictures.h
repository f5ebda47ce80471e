#pragma once

#include <deque>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <semaphore>
#include <vector>

#include "frames/clip.h"
#include "frames/resize.h"
#include "service/transfer/transfer_lines.h"

namespace palisade {

// How pictures and films become what the model sees.
struct EvaluationView {
  int side = 224;  // of the model's square
  ResizePreset resize = ResizePreset::kHfBicubic;
  int frames = 16;  // of a film: from its first one, every frame_step-th; short ones are tiled
  int frame_step = 1;
  std::size_t kept = 32;  // pictures that are kept for the lines that follow
};

// Reads the pictures of lines ahead, on threads of its own. A picture of several lines that stand near one
// another is read once, and its Image is the same one, so that the engine encodes it once. Used by one
// thread.
class EvaluationPictures {
 public:
  explicit EvaluationPictures(const EvaluationView& view);

  // A file's frames, at the model's size; get() throws Error.
  using Frames = std::shared_future<std::vector<Frame>>;
  // Begins to read what a line shows.
  std::vector<Frames> begin(const TransferLine& line);
  // Waits for them. Throws Error.
  static Clip clip_of(const std::vector<Frames>& parts);

 private:
  Frames begin(const std::filesystem::path& file, bool film);
  void forget_the_oldest();

  const EvaluationView view_;
  std::shared_ptr<std::counting_semaphore<>> turns_;
  std::map<std::filesystem::path, Frames> known_;
  std::deque<std::pair<std::filesystem::path, std::size_t>>
      order_;                 // as they were begun, with their pictures
  std::size_t pictures_ = 0;  // of order_
};

}  // namespace palisade
