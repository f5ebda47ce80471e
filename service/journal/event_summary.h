#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace palisade {

// What a summary is about; times in milliseconds since 1970, the end does not belong to it.
struct SummarySpan {
  std::int64_t from_ms = 0;
  std::int64_t to_ms = 0;
  std::string stream;  // empty: all
  std::string task;    // empty: all; not for timelines
};

// How much happened at one stream, in equal parts of a time, and its states.
struct StreamTimeline {
  struct State {
    std::int64_t from_ms = 0;
    std::int64_t to_ms = 0;
    std::string state;  // "online" ...
  };
  std::string stream;
  std::vector<std::uint64_t> answers;  // of each part
  std::vector<std::uint64_t> alerts;
  std::vector<State> states;  // in order; without what came before the first that is known
};

// Of every stream with an event in the span, by name. Throws StorageError, and Error where there is no
// journal.
std::vector<StreamTimeline> timelines_of(const std::filesystem::path& state_folder, const SummarySpan& span,
                                         std::size_t parts);

// An answer with a probability that somebody has judged. `p` is EventRow::p. Of a question with yes or no
// (true or false), `confirmed` says whether yes was right, else whether the answer was.
struct JudgedProbability {
  double p = 0;
  bool confirmed = false;
};
std::vector<JudgedProbability> judged_probabilities(const std::filesystem::path& state_folder,
                                                    const SummarySpan& span);

// How many answers had a probability in each of `parts` equal parts of 0 to 1, among the newest 100,000
// events.
std::vector<std::uint64_t> probability_counts(const std::filesystem::path& state_folder,
                                              const SummarySpan& span, std::size_t parts);

// What the journal holds.
struct JournalExtent {
  std::uint64_t events = 0;      // about: positions from the oldest to the newest
  std::uint64_t bytes = 0;       // of the state folder's events and frames
  std::uint64_t free_bytes = 0;  // of the disk
  std::optional<std::int64_t> oldest_ms;
};
JournalExtent journal_extent(const std::filesystem::path& state_folder);

}  // namespace palisade
