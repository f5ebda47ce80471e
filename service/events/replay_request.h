#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace palisade {

// A subscriber asks for what it has missed, as one JSON object.

// {"after": {"TOPIC": "000000000400"}}: what came after these sequences of these topics.
struct AfterSequences {
  std::map<std::string, std::uint64_t> sequences;
};
// {"position": 81233, "prefix": "palisade/v1/front_door/"}: what was stored after a position.
struct AfterPosition {
  std::int64_t position = 0;
  std::string prefix;  // of topics; empty: all
};
// {"position": "end"}: where the journal ends now.
struct JournalEnd {};
// {"last": "palisade/v1/"}: the newest event of each topic below a prefix.
struct LastEvents {
  std::string prefix;
};
using ReplayRequest = std::variant<AfterSequences, AfterPosition, JournalEnd, LastEvents>;

// One answer holds so much; the asker goes on from `position`.
inline constexpr std::size_t kMaxReplayedEvents = 1000, kMaxReplayedBytes = 4u << 20;

struct ReplayAnswer {
  std::int64_t position = 0;  // go on from here
  bool more = false;          // there is more now
  // By topic, sequences that were asked for and are not stored: they were removed, lost, or not yet stored.
  std::map<std::string, std::vector<std::uint64_t>> missing;
  std::vector<std::pair<std::string, std::string>> events;  // topic and body
};

// Throws Error naming what is wrong.
ReplayRequest replay_request_of(std::string_view json);
// The answer's first part: {"position": 81290, "more": false, "missing": {"TOPIC": ["000000000401"]}}.
std::string header_of(const ReplayAnswer& answer);

}  // namespace palisade
