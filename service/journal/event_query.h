#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/events/event.h"

namespace palisade {

// Which events of a journal are looked for; what is not set does not matter.
struct EventFilter {
  std::string words;  // all of these are in the event's text, whatever their case; no operators
  std::string stream;
  std::string task;  // last word of the topic
  std::optional<EventKind> kind;
  std::optional<std::int64_t> from_ms, to_ms;  // since 1970; the end does not belong to it
  std::optional<double> min_p;
  std::int64_t after = 0;                   // positions greater than this
  std::optional<std::int64_t> before = {};  // positions less than this
  bool newest_first = false;
  std::size_t limit = 1000;
};

struct StoredEvent {
  std::int64_t position = 0;  // ascends in the order in which events were stored
  std::string id;
  std::string topic;
  std::string body;  // as it was published
  bool kept = false;
};

// A reading connection to a journal, beside whoever writes it. One thread's. Throws StorageError, and Error
// where there is no journal.
class EventQuery {
 public:
  explicit EventQuery(const std::filesystem::path& state_folder);
  ~EventQuery();
  EventQuery(EventQuery&&) noexcept;

  // Throws UsageError where the words are too many.
  std::vector<StoredEvent> find(const EventFilter& filter);
  // The event of an id, or of the beginning of one that no other event has. Throws Error where there is none.
  StoredEvent event(std::string_view id);
  // Those at these positions, in this order; without those that are gone.
  std::vector<StoredEvent> at(const std::vector<std::int64_t>& positions);
  // Position of the event that was stored last, or 0.
  std::int64_t last_position();

 private:
  struct Connection;
  std::filesystem::path file_;
  std::unique_ptr<Connection> connection_;
};

// The words of a search as FTS5 takes them: each a quoted term, so that nothing in it is an operator. Empty
// where there is no word. Throws UsageError where they are too long.
std::string search_terms(std::string_view words);

}  // namespace palisade
