#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace palisade {

// What people do to a journal, beside a service that writes it or without one. Each takes a whole id and
// throws StorageError.

// A kept event is never removed because it is old or there is too much; false where there is no such event.
bool keep_event(const std::filesystem::path& state_folder, const std::string& id, bool kept);

// What a person says of an answer: whether it is right, and what would be.
struct Judgement {
  bool right = false;
  std::string text;  // the right answer, where it is known; else empty
};
// Also keeps the event, since verdicts are examples to learn from. Without a verdict an earlier one is
// removed.
bool judge_event(const std::filesystem::path& state_folder, const std::string& id,
                 const std::optional<Judgement>& verdict);
// Of each of these ids that was judged.
std::map<std::string, Judgement> judgements_of(const std::filesystem::path& state_folder,
                                               const std::vector<std::string>& ids);
std::optional<Judgement> judgement_of(const std::filesystem::path& state_folder, const std::string& id);
// Ids of events that were judged, in the order of their positions.
std::vector<std::string> judged_events(const std::filesystem::path& state_folder);

// What erase_events() would remove.
struct EraseExtent {
  std::uint64_t events = 0, kept = 0, judged = 0;  // kept and judged ones are among the events
};
EraseExtent extent_to_erase(const std::filesystem::path& state_folder, const std::string& stream,
                            std::int64_t from_ms, std::int64_t to_ms);

// Removes all events of a stream in a time for good, kept ones too, and the frames that they saw: the bytes
// are overwritten, and the words are no longer in the search. Returns how many there were.
std::uint64_t erase_events(const std::filesystem::path& state_folder, const std::string& stream,
                           std::int64_t from_ms, std::int64_t to_ms);

struct CheckResult {
  std::uint64_t events = 0;
  std::vector<std::string> faults;  // empty: all is sound
};
// Reads everything: the tables, the search, every event.
CheckResult check_journal(const std::filesystem::path& state_folder);
// Writes all events that can be read to a new journal and sets the damaged one aside; not while a service
// uses it (Unavailable). So are verdicts. Returns how many events were saved.
std::uint64_t repair_journal(const std::filesystem::path& state_folder);

}  // namespace palisade
