#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "service/events/frame_keeper.h"

namespace palisade {

struct FrameJournalOptions {
  std::filesystem::path folder;           // the state folder
  std::chrono::hours stay{7 * 24};        // after which frames go, by whole files
  std::uint64_t bytes = 10'000'000'000;   // of the state folder; the oldest frames go first
  double free_share = 0.1;                // of the disk, left to others
  std::size_t waiting_bytes = 32u << 20;  // of pixels that are not encoded yet
};

// Keeps the frames that answers saw: copies their pixels, encodes and stores them on a thread of its own.
// What is there already, from another window or task, is not stored again.
class FrameJournal : public FrameKeeper {
 public:
  explicit FrameJournal(FrameJournalOptions options);
  ~FrameJournal() override;  // stores what waits
  FrameJournal(const FrameJournal&) = delete;
  FrameJournal& operator=(const FrameJournal&) = delete;

  bool keep(const std::vector<KeptPicture>& pictures) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Removes frames files that are too old or too many, oldest first, and never those of this hour or of kept
// events. Returns how many. `free_share` is that of the disk now.
int remove_old_frames(const FrameJournalOptions& options, WallTime now, double free_share);

}  // namespace palisade
