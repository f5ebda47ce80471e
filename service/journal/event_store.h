#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "base/clock.h"
#include "service/events/event_book.h"
#include "service/events/event_sink.h"

namespace palisade {

// How long events stay. Kept ones stay for ever.
struct Retention {
  std::chrono::hours events{30 * 24};
  std::uint64_t bytes = 10'000'000'000;  // of the journal

  bool operator==(const Retention&) const = default;
};

// The journal's one writing connection. One thread's. Everything throws StorageError.
class EventStore {
 public:
  // Opens FOLDER/journal.db, or makes it.
  explicit EventStore(const std::filesystem::path& folder);
  ~EventStore();
  EventStore(const EventStore&) = delete;
  EventStore& operator=(const EventStore&) = delete;

  // Where numbering left off.
  EventHistory history();
  // All in one transaction, which is on the disk when this returns. What is stored already stays as it is.
  void store(std::span<const SharedMessage> messages);
  // Removes some events that have stayed long enough, oldest first; returns how many. None: there are no
  // more.
  int remove_some(const Retention& retention, WallTime now);
  // A file that is new knows no topics; these come from elsewhere.
  void adopt(const EventHistory& history);

 private:
  struct Connection;
  std::uint64_t used_bytes();
  std::filesystem::path file_;
  std::unique_ptr<Connection> connection_;
};

std::filesystem::path journal_file(const std::filesystem::path& state_folder);
// Renames a damaged journal to journal.db.corrupt-TIME, with what SQLite keeps beside it; returns its new
// name. Throws StorageError.
std::filesystem::path set_aside(const std::filesystem::path& file);

}  // namespace palisade
