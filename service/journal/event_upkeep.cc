#include "service/journal/event_upkeep.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/folder_lock.h"
#include "base/format.h"
#include "base/log.h"
#include "service/journal/database.h"
#include "service/journal/event_row.h"
#include "service/journal/event_store.h"
#include "service/journal/frame_files.h"
#include "service/journal/schema.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxFaults = 20;
constexpr int kErasedAtOnce = 500;

SQLite::Database opened_to_write(const std::filesystem::path& state_folder) {
  const std::filesystem::path file = journal_file(state_folder);
  SQLite::Database database = open_database(file, Access::kWrite);
  bring_up_to_date(database, file);
  return database;
}

// Calls `work` with a writing connection of its own.
template <class Work>
auto writing(const std::filesystem::path& state_folder, Work&& work) {
  return guarded(journal_file(state_folder), [&] {
    SQLite::Database database = opened_to_write(state_folder);
    return work(database);
  });
}

std::int64_t now_ms() {
  return std::chrono::floor<std::chrono::milliseconds>(wall_now().time_since_epoch()).count();
}

int set_kept(SQLite::Database& database, const std::string& id, bool kept) {
  SQLite::Statement update(database, "UPDATE event SET kept = ? WHERE id = ?");
  update.bind(1, int(kept));
  update.bind(2, id);
  return update.exec();
}

// Every event that can be read, in order; positions whose bytes are damaged are passed over.
template <class Take>
std::uint64_t read_what_can_be(SQLite::Database& damaged, Take&& take) {
  std::int64_t last = 0;
  try {
    last = damaged.execAndGet("SELECT max(position) FROM event").getInt64();
  } catch (const SQLite::Exception&) {
    last = damaged.execAndGet("SELECT seq FROM sqlite_sequence WHERE name='event'").getInt64();
  }
  std::uint64_t taken = 0;
  for (std::int64_t position = 0; position < last;) {
    try {
      SQLite::Statement rows(
          damaged, "SELECT position, topic, body, kept FROM event WHERE position > ? ORDER BY position");
      rows.bind(1, position);
      while (rows.executeStep()) {
        position = rows.getColumn(0).getInt64();
        taken += take(rows.getColumn(1).getString(), rows.getColumn(2).getString(),
                      rows.getColumn(3).getInt() != 0);
      }
      break;
    } catch (const SQLite::Exception&) {
      ++position;
    }
  }
  return taken;
}

struct Judged {
  std::string id;
  Judgement verdict;
};

// Those before the first damage.
std::vector<Judged> verdicts_that_can_be_read(SQLite::Database& damaged) {
  std::vector<Judged> some;
  try {
    SQLite::Statement rows(damaged, "SELECT id, verdict, coalesce(text, '') FROM verdict");
    while (rows.executeStep())
      some.push_back({.id = rows.getColumn(0).getString(),
                      .verdict = {.right = rows.getColumn(1).getString() == "right",
                                  .text = rows.getColumn(2).getString()}});
  } catch (const SQLite::Exception& error) {
    log_warning(format("journal: not all verdicts could be read: {}", error.what()));
  }
  return some;
}

struct Erased {
  std::int64_t position = 0;
  EventFrames frames;
};

std::vector<Erased> next_to_erase(SQLite::Database& database, const std::string& stream, std::int64_t from_ms,
                                  std::int64_t to_ms) {
  SQLite::Statement rows(database,
                         "SELECT position, id, topic, body FROM event WHERE stream = ? AND time_ms >= ? AND "
                         "time_ms < ? LIMIT ?");
  rows.bind(1, stream);
  rows.bind(2, from_ms);
  rows.bind(3, to_ms);
  rows.bind(4, kErasedAtOnce);
  std::vector<Erased> some;
  while (rows.executeStep()) {
    some.push_back(
        {.position = rows.getColumn(0).getInt64(),
         .frames = {
             .id = rows.getColumn(1).getString(),
             .sha256s =
                 picture_hashes_of(rows.getColumn(3).getString(), rows.getColumn(2).getString()).all()}});
  }
  return some;
}

// Whether every event is what its row says.
void check_events(SQLite::Database& database, CheckResult& result) {
  SQLite::Statement rows(database, "SELECT id, topic, body FROM event");
  while (rows.executeStep() && result.faults.size() < kMaxFaults) {
    ++result.events;
    const std::string id = rows.getColumn(0).getString();
    try {
      if (event_row(rows.getColumn(1).getString(), rows.getColumn(2).getString()).id != id)
        result.faults.push_back("event " + id + " has the body of another");
    } catch (const Error& error) {
      result.faults.push_back("event " + id + ": " + error.what());
    }
  }
}

// Whether the words of the search are those of the events. FTS5 asks for it as if it were written, which a
// full disk or another process that writes does not allow: then it is left out.
void check_search(const std::filesystem::path& state_folder) {
  try {
    writing(state_folder, [](SQLite::Database& database) {
      database.exec("INSERT INTO event_text(event_text) VALUES ('integrity-check')");
    });
  } catch (const StorageError& error) {
    if (error.fault() == StorageFault::kCorrupt) throw;
    log_warning("journal: the search was not checked: " + std::string(error.what()));
  }
}

}  // namespace

bool keep_event(const std::filesystem::path& state_folder, const std::string& id, bool kept) {
  return writing(state_folder, [&](SQLite::Database& database) { return set_kept(database, id, kept) > 0; });
}

bool judge_event(const std::filesystem::path& state_folder, const std::string& id,
                 const std::optional<Judgement>& verdict) {
  return writing(state_folder, [&](SQLite::Database& database) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    SQLite::Statement old(database, "DELETE FROM verdict WHERE id = ?");
    old.bind(1, id);
    old.exec();
    if (set_kept(database, id, verdict.has_value()) == 0) return false;
    if (verdict) {
      SQLite::Statement add(database, "INSERT INTO verdict(id, verdict, text, time_ms) VALUES (?, ?, ?, ?)");
      add.bind(1, id);
      add.bind(2, verdict->right ? "right" : "wrong");
      if (!verdict->text.empty()) add.bind(3, verdict->text);
      add.bind(4, now_ms());
      add.exec();
    }
    transaction.commit();
    return true;
  });
}

std::map<std::string, Judgement> judgements_of(const std::filesystem::path& state_folder,
                                               const std::vector<std::string>& ids) {
  const auto file = journal_file(state_folder);
  return guarded(file, [&] {
    SQLite::Database database = open_database(file, Access::kRead);
    SQLite::Statement query(database, "SELECT verdict, coalesce(text, '') FROM verdict WHERE id = ?");
    std::map<std::string, Judgement> judgements;
    for (const std::string& id : ids) {
      query.tryReset();
      query.bind(1, id);
      if (query.executeStep())
        judgements[id] = {.right = query.getColumn(0).getString() == "right",
                          .text = query.getColumn(1).getString()};
    }
    return judgements;
  });
}

std::optional<Judgement> judgement_of(const std::filesystem::path& state_folder, const std::string& id) {
  const auto judgements = judgements_of(state_folder, {id});
  return judgements.empty() ? std::nullopt : std::optional(judgements.begin()->second);
}

std::vector<std::string> judged_events(const std::filesystem::path& state_folder) {
  const auto file = journal_file(state_folder);
  return guarded(file, [&] {
    SQLite::Database database = open_database(file, Access::kRead);
    SQLite::Statement query(database,
                            "SELECT event.id FROM verdict JOIN event USING (id) ORDER BY event.position");
    std::vector<std::string> ids;
    while (query.executeStep()) ids.push_back(query.getColumn(0).getString());
    return ids;
  });
}

EraseExtent extent_to_erase(const std::filesystem::path& state_folder, const std::string& stream,
                            std::int64_t from_ms, std::int64_t to_ms) {
  const auto file = journal_file(state_folder);
  return guarded(file, [&] {
    SQLite::Database database = open_database(file, Access::kRead);
    SQLite::Statement query(
        database,
        "SELECT count(*), coalesce(sum(event.kept != 0), 0), count(verdict.id) FROM event "
        "LEFT JOIN verdict USING (id) WHERE stream = ? AND event.time_ms >= ? AND event.time_ms < ?");
    query.bind(1, stream);
    query.bind(2, from_ms);
    query.bind(3, to_ms);
    EraseExtent extent;
    if (query.executeStep()) {
      extent.events = std::uint64_t(query.getColumn(0).getInt64());
      extent.kept = std::uint64_t(query.getColumn(1).getInt64());
      extent.judged = std::uint64_t(query.getColumn(2).getInt64());
    }
    return extent;
  });
}

std::uint64_t erase_events(const std::filesystem::path& state_folder, const std::string& stream,
                           std::int64_t from_ms, std::int64_t to_ms) {
  return writing(state_folder, [&](SQLite::Database& database) {
    std::uint64_t erased = 0;
    while (true) {
      const std::vector<Erased> some = next_to_erase(database, stream, from_ms, to_ms);
      if (some.empty()) break;
      // Frames first: were this ended in between, the events would still say what is to be erased.
      std::vector<EventFrames> frames;
      for (const Erased& event : some) frames.push_back(event.frames);
      erase_frames(state_folder, frames);
      SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
      SQLite::Statement erase(database, "DELETE FROM event WHERE position = ?");
      for (const Erased& event : some) {
        erase.tryReset();
        erase.bind(1, event.position);
        erase.exec();
      }
      transaction.commit();
      erased += some.size();
    }
    // Deleted words stand in the search's old segments until these are merged, and in the WAL until it is
    // cut.
    database.exec("INSERT INTO event_text(event_text) VALUES ('optimize')");
    database.exec("PRAGMA incremental_vacuum");
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return erased;
  });
}

CheckResult check_journal(const std::filesystem::path& state_folder) {
  const auto file = journal_file(state_folder);
  CheckResult result;
  try {
    guarded(file, [&] {
      SQLite::Database database = open_database(file, Access::kRead);
      SQLite::Statement check(database, format("PRAGMA integrity_check({})", kMaxFaults));
      while (check.executeStep()) {
        if (const std::string said = check.getColumn(0).getString(); said != "ok")
          result.faults.push_back(said);
      }
      check_events(database, result);
    });
    if (result.faults.empty()) check_search(state_folder);
  } catch (const StorageError& error) {
    if (error.fault() != StorageFault::kCorrupt) throw;
    result.faults.emplace_back(error.what());
  }
  return result;
}

std::uint64_t repair_journal(const std::filesystem::path& state_folder) {
  const FolderLock lock(state_folder);
  const auto aside = set_aside(journal_file(state_folder));
  return guarded(aside, [&] {
    SQLite::Database damaged(aside.string(), SQLite::OPEN_READWRITE);
    EventStore sound(state_folder);
    std::vector<std::string> kept;
    std::vector<SharedMessage> some;
    const auto store = [&] {
      sound.store(some);
      some.clear();
    };
    const std::uint64_t saved =
        read_what_can_be(damaged, [&](const std::string& topic, const std::string& body, bool is_kept) {
          try {
            const EventRow row = event_row(topic, body);
            some.push_back(std::make_shared<const Message>(Message{
                .kind = row.kind, .topic = topic, .json = body, .id = row.id, .sequence = row.sequence}));
            if (is_kept) kept.push_back(row.id);
          } catch (const Error&) {
            return 0;  // its bytes are damaged
          }
          if (some.size() >= std::size_t(kErasedAtOnce)) store();
          return 1;
        });
    store();
    for (const std::string& id : kept) keep_event(state_folder, id, true);
    for (const auto& [id, verdict] : verdicts_that_can_be_read(damaged))
      judge_event(state_folder, id, verdict);
    return saved;
  });
}

}  // namespace palisade
