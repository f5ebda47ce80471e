#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "model/train/training_pass.h"
#include "service/transfer/picture_loader.h"

namespace palisade {

// The examples of one pass, a part of a step's batch. A seed chooses where films begin.
struct PassRecords {
  std::vector<const TransferRecord*> records;
  std::optional<std::uint64_t> seed;
};

struct ReadPass {
  PassRecords chosen;
  TrainingBatch batch;
  std::vector<PictureName> names;  // of the batch's pictures
};

// Reads the pictures of the passes to come on threads of its own, an example a thread, while the current pass
// is computed. Passes come out as they were added, each the same whatever the threads. Used by one thread.
class PassReader {
 public:
  // Pixel values ahead are at most `most_bytes`, or one pass where that is larger. `loader` outlives it.
  explicit PassReader(PictureLoader& loader, std::size_t most_bytes = 256u << 20);
  // Waits for what its threads are reading.
  ~PassReader();
  PassReader(const PassReader&) = delete;
  PassReader& operator=(const PassReader&) = delete;

  // Whether another pass should be added now. Records outlive their pass.
  bool has_room() const;
  void add(PassRecords chosen);
  // Waits for the first pass that was added and not taken. Throws the Error of its first example that cannot
  // be read, naming file and line.
  ReadPass next();
  // Of a pass that was computed: what an image tower that is not trained has made of its pictures.
  void keep_states(const ReadPass& read, const TrainingPass& pass);

 private:
  // The pictures of one or several examples of a pass.
  struct Piece {
    const TransferRecord* record;
    std::optional<std::uint64_t> seed;
    LoadedPictures pictures;
    std::exception_ptr error;
  };
  struct PendingPass {
    PassRecords chosen;
    std::vector<Piece> pieces;
    std::vector<std::size_t> piece_of;  // each example's
    std::size_t begun = 0, done = 0;    // pieces
    std::size_t bytes = 0;
  };

  void read(const std::stop_token& stop);
  // The next piece that nobody has begun, with its pass; nullptr where there is none. Holding mutex_.
  PendingPass* unfinished();

  PictureLoader& loader_;
  const std::size_t most_bytes_;
  std::size_t examples_ = 0;  // of all passes that were added and not taken
  std::size_t bytes_ = 0;
  std::mutex mutex_;
  std::condition_variable_any added_;
  std::condition_variable done_;
  std::deque<std::unique_ptr<PendingPass>> passes_;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace palisade
