#include "service/journal/event_summary.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/format.h"
#include "service/journal/database.h"
#include "service/journal/event_store.h"
#include "tasks/events/event.h"

namespace palisade {
namespace {

constexpr std::int64_t kNewestLooked = 100'000;

SQLite::Database opened(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) throw Error(file.string() + ": there is no journal");
  return open_database(file, Access::kRead);
}

template <class Read>
auto reading(const std::filesystem::path& state_folder, Read&& read) {
  const auto file = journal_file(state_folder);
  return guarded(file, [&] {
    SQLite::Database database = opened(file);
    return read(database);
  });
}

void count_parts(SQLite::Database& database, const SummarySpan& span, std::size_t parts,
                 std::map<std::string, StreamTimeline>& found) {
  SQLite::Statement rows(database,
                         "SELECT stream, kind, (time_ms - ?1) * ?3 / (?2 - ?1), count(*) FROM event WHERE "
                         "time_ms >= ?1 AND time_ms < ?2 AND (?4 = '' OR stream = ?4) AND kind IN (?5, ?6) "
                         "GROUP BY 1, 2, 3");
  rows.bind(1, span.from_ms);
  rows.bind(2, span.to_ms);
  rows.bind(3, std::int64_t(parts));
  rows.bind(4, span.stream);
  rows.bind(5, int(EventKind::kAnswer));
  rows.bind(6, int(EventKind::kAlert));
  while (rows.executeStep()) {
    StreamTimeline& timeline = found[rows.getColumn(0).getString()];
    auto& counts = rows.getColumn(1).getInt() == int(EventKind::kAlert) ? timeline.alerts : timeline.answers;
    counts.resize(parts);
    counts.at(std::size_t(rows.getColumn(2).getInt64())) += std::uint64_t(rows.getColumn(3).getInt64());
  }
}

// Each state lasts until the next.
void add_state(StreamTimeline& timeline, const SummarySpan& span, std::int64_t time_ms, std::string state) {
  const std::int64_t from = std::max(time_ms, span.from_ms);
  if (!timeline.states.empty()) {
    if (timeline.states.back().state == state) return;
    timeline.states.back().to_ms = from;
    if (timeline.states.back().from_ms == from) timeline.states.pop_back();
  }
  timeline.states.push_back({.from_ms = from, .to_ms = span.to_ms, .state = std::move(state)});
}

constexpr char kState[] = "coalesce(json_extract(body, '$.data.state'), '')";

void read_states(SQLite::Database& database, const SummarySpan& span,
                 std::map<std::string, StreamTimeline>& found) {
  SQLite::Statement rows(
      database,
      format("SELECT stream, time_ms, {} FROM event WHERE time_ms >= ? AND time_ms < ? AND kind = ? "
             "AND (?4 = '' OR stream = ?4) ORDER BY position",
             kState));
  rows.bind(1, span.from_ms);
  rows.bind(2, span.to_ms);
  rows.bind(3, int(EventKind::kState));
  rows.bind(4, span.stream);
  std::map<std::string, std::vector<std::pair<std::int64_t, std::string>>> states;
  while (rows.executeStep())
    states[rows.getColumn(0).getString()].emplace_back(rows.getColumn(1).getInt64(),
                                                       rows.getColumn(2).getString());
  // The state in which the span began.
  for (auto& [stream, timeline] : found) states.try_emplace(stream);
  if (!span.stream.empty()) states.try_emplace(span.stream);
  SQLite::Statement earlier(
      database, format("SELECT time_ms, {} FROM event WHERE topic = ? AND time_ms < ? ORDER BY sequence DESC "
                       "LIMIT 1",
                       kState));
  for (const auto& [stream, later] : states) {
    earlier.tryReset();
    earlier.bind(1, format("palisade/v1/{}/state", stream));
    earlier.bind(2, span.from_ms);
    StreamTimeline& timeline = found[stream];
    if (earlier.executeStep())
      add_state(timeline, span, earlier.getColumn(0).getInt64(), earlier.getColumn(1).getString());
    for (const auto& [time_ms, state] : later) add_state(timeline, span, time_ms, state);
  }
}

}  // namespace

std::vector<StreamTimeline> timelines_of(const std::filesystem::path& state_folder, const SummarySpan& span,
                                         std::size_t parts) {
  std::map<std::string, StreamTimeline> found;
  reading(state_folder, [&](SQLite::Database& database) {
    count_parts(database, span, parts, found);
    read_states(database, span, found);
  });
  std::vector<StreamTimeline> all;
  for (auto& [stream, timeline] : found) {
    timeline.stream = stream;
    timeline.answers.resize(parts);
    timeline.alerts.resize(parts);
    if (!stream.empty()) all.push_back(std::move(timeline));
  }
  return all;
}

std::vector<JudgedProbability> judged_probabilities(const std::filesystem::path& state_folder,
                                                    const SummarySpan& span) {
  return reading(state_folder, [&](SQLite::Database& database) {
    SQLite::Statement rows(database,
                           "SELECT event.p, lower(trim(event.text)), verdict.verdict = 'right' FROM verdict "
                           "JOIN event ON event.id = verdict.id WHERE event.p IS NOT NULL AND "
                           "event.time_ms >= ?1 AND event.time_ms < ?2 AND (?3 = '' OR stream = ?3) AND "
                           "(?4 = '' OR task = ?4)");
    rows.bind(1, span.from_ms);
    rows.bind(2, span.to_ms);
    rows.bind(3, span.stream);
    rows.bind(4, span.task);
    std::vector<JudgedProbability> judged;
    while (rows.executeStep()) {
      const std::string text = rows.getColumn(1).getString();
      const bool no = text == "no" || text == "false", right = rows.getColumn(2).getInt() != 0;
      judged.push_back({.p = rows.getColumn(0).getDouble(), .confirmed = no ? !right : right});
    }
    return judged;
  });
}

std::vector<std::uint64_t> probability_counts(const std::filesystem::path& state_folder,
                                              const SummarySpan& span, std::size_t parts) {
  return reading(state_folder, [&](SQLite::Database& database) {
    SQLite::Statement rows(
        database,
        "SELECT min(CAST(p * ?1 AS INTEGER), ?1 - 1), count(*) FROM event WHERE position > (SELECT "
        "coalesce(max(position), 0) FROM event) - ?2 AND p IS NOT NULL AND kind = ?3 AND time_ms >= ?4 AND "
        "time_ms < ?5 AND (?6 = '' OR stream = ?6) AND (?7 = '' OR task = ?7) GROUP BY 1");
    rows.bind(1, std::int64_t(parts));
    rows.bind(2, kNewestLooked);
    rows.bind(3, int(EventKind::kAnswer));
    rows.bind(4, span.from_ms);
    rows.bind(5, span.to_ms);
    rows.bind(6, span.stream);
    rows.bind(7, span.task);
    std::vector<std::uint64_t> counts(parts);
    while (rows.executeStep()) {
      const std::int64_t part = rows.getColumn(0).getInt64();
      if (part >= 0) counts.at(std::size_t(part)) += std::uint64_t(rows.getColumn(1).getInt64());
    }
    return counts;
  });
}

JournalExtent journal_extent(const std::filesystem::path& state_folder) {
  JournalExtent extent = reading(state_folder, [](SQLite::Database& database) {
    JournalExtent found;
    SQLite::Statement ends(
        database,
        "SELECT coalesce(max(position) - min(position) + 1, 0), (SELECT time_ms FROM event "
        "ORDER BY position LIMIT 1) FROM event");
    if (ends.executeStep()) {
      found.events = std::uint64_t(ends.getColumn(0).getInt64());
      if (!ends.getColumn(1).isNull()) found.oldest_ms = ends.getColumn(1).getInt64();
    }
    return found;
  });
  std::error_code error;
  for (auto entry = std::filesystem::recursive_directory_iterator(state_folder, error);
       !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code gone;
    const std::uintmax_t size = entry->is_regular_file(gone) ? entry->file_size(gone) : 0;
    if (!gone) extent.bytes += size;
  }
  const auto space = std::filesystem::space(state_folder, error);
  if (!error) extent.free_bytes = space.available;
  return extent;
}

}  // namespace palisade
