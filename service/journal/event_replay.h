#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "service/events/replay_request.h"

namespace palisade {

// Answers subscribers from a reading connection of its own. One thread's. Throws StorageError.
class EventReplay {
 public:
  explicit EventReplay(const std::filesystem::path& state_folder);
  ~EventReplay();
  EventReplay(const EventReplay&) = delete;
  EventReplay& operator=(const EventReplay&) = delete;

  ReplayAnswer answer(const ReplayRequest& request);

 private:
  struct Connection;
  void open();
  std::filesystem::path file_;
  std::uint64_t inode_ = 0;
  std::unique_ptr<Connection> connection_;
};

}  // namespace palisade
