#include "service/journal/event_store.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/format.h"
#include "base/time_text.h"
#include "base/ulid.h"
#include "service/journal/database.h"
#include "service/journal/event_row.h"
#include "service/journal/likeness.h"
#include "service/journal/schema.h"

namespace palisade {
namespace {

constexpr char kInsert[] =
    "INSERT OR IGNORE INTO event(id, topic, sequence, stream, task, kind, time_ms, p, text, body) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr int kRemovedAtOnce = 100, kVacuumedPages = 2000;
constexpr std::uintmax_t kMaxCheckedBytes = 64u << 20;
// Ids ascend; an event that was stored late does not take a topic back.
constexpr char kTopic[] =
    "INSERT INTO topic(topic, sequence, id) VALUES (?, ?, ?) ON CONFLICT(topic) DO UPDATE SET "
    "sequence=excluded.sequence, id=excluded.id WHERE excluded.id > id";

// Up to date, and without damage as far as a look of a moment can tell. A large file is looked at by
// `palisade journal check`, and where it is touched.
bool checked(SQLite::Database& database, const std::filesystem::path& file) {
  bring_up_to_date(database, file);
  if (std::filesystem::file_size(file) > kMaxCheckedBytes) return true;
  const std::string said = database.execAndGet("PRAGMA quick_check(1)").getString();
  if (said != "ok") throw StorageError(file.string() + ": is damaged: " + said, StorageFault::kCorrupt);
  return true;
}

}  // namespace

struct EventStore::Connection {
  explicit Connection(const std::filesystem::path& file)
      : database(open_database(file, Access::kCreate)), sound(checked(database, file)) {}

  void insert(const EventRow& row, const std::string& body);
  void add_likeness(const std::string& id, const std::string& vector);
  void note_topic(const std::string& topic, std::uint64_t sequence, const std::string& id);

  SQLite::Database database;
  const bool sound;  // known before statements on its tables are made
  SQLite::Statement add{database, kInsert};
  SQLite::Statement topic{database, kTopic};
  SQLite::Statement likeness{
      database,
      "INSERT OR IGNORE INTO likeness(position, vector) SELECT position, ? FROM event WHERE id = ?"};
};

void EventStore::Connection::insert(const EventRow& row, const std::string& body) {
  add.tryReset();  // after a failure, reset() would throw that again
  add.clearBindings();
  add.bindNoCopy(1, row.id);
  add.bindNoCopy(2, row.topic);
  add.bind(3, std::int64_t(row.sequence));
  add.bindNoCopy(4, row.stream);
  add.bindNoCopy(5, row.task);
  add.bind(6, int(row.kind));
  add.bind(7, row.time_ms);
  if (row.p) add.bind(8, *row.p);
  add.bindNoCopy(9, row.text);
  add.bindNoCopy(10, body);
  add.exec();
}

void EventStore::Connection::add_likeness(const std::string& id, const std::string& vector) {
  likeness.tryReset();
  likeness.bindNoCopy(1, vector.data(), int(vector.size()));
  likeness.bindNoCopy(2, id);
  likeness.exec();
}

void EventStore::Connection::note_topic(const std::string& name, std::uint64_t sequence,
                                        const std::string& id) {
  topic.tryReset();
  topic.bindNoCopy(1, name);
  topic.bind(2, std::int64_t(sequence));
  topic.bindNoCopy(3, id);
  topic.exec();
}

EventStore::EventStore(const std::filesystem::path& folder)
    : file_(journal_file(folder)),
      connection_(guarded(file_, [&] { return std::make_unique<Connection>(file_); })) {}

EventStore::~EventStore() = default;

EventHistory EventStore::history() {
  return guarded(file_, [&] {
    EventHistory history;
    SQLite::Statement topics(connection_->database, "SELECT topic, sequence, id FROM topic");
    while (topics.executeStep()) {
      history.sequences[topics.getColumn(0).getString()] = std::uint64_t(topics.getColumn(1).getInt64());
      history.id = std::max(history.id, topics.getColumn(2).getString());
    }
    return history;
  });
}

void EventStore::adopt(const EventHistory& history) {
  guarded(file_, [&] {
    SQLite::Transaction transaction(connection_->database);
    for (const auto& [topic, sequence] : history.sequences)
      connection_->note_topic(topic, sequence, history.id);
    transaction.commit();
  });
}

void EventStore::store(std::span<const SharedMessage> messages) {
  guarded(file_, [&] {
    SQLite::Transaction transaction(connection_->database, SQLite::TransactionBehavior::IMMEDIATE);
    for (const SharedMessage& message : messages) {
      const EventRow row = event_row(message->topic, message->json);  // our own: always an event
      connection_->insert(row, message->json);
      if (!message->likeness.empty()) connection_->add_likeness(row.id, half_floats(message->likeness));
      connection_->note_topic(row.topic, row.sequence, row.id);
    }
    transaction.commit();
  });
}

std::uint64_t EventStore::used_bytes() {
  const auto number = [this](const char* pragma) {
    return std::uint64_t(connection_->database.execAndGet(pragma).getInt64());
  };
  return (number("PRAGMA page_count") - number("PRAGMA freelist_count")) * number("PRAGMA page_size");
}

// An event is as old as its id, not as the film that it tells of. Ids ascend with positions, so that the
// oldest say whether there is anything to remove.
int EventStore::remove_some(const Retention& retention, WallTime now) {
  return guarded(file_, [&] {
    SQLite::Database& database = connection_->database;
    const std::string oldest_id = first_ulid(now - retention.events);
    const bool too_many = used_bytes() > retention.bytes;
    SQLite::Statement oldest(
        database,
        "SELECT position, id FROM event INDEXED BY event_unkept WHERE kept = 0 ORDER BY position LIMIT ?");
    oldest.bind(1, kRemovedAtOnce);
    std::int64_t last = 0;
    while (oldest.executeStep()) {
      if (!too_many && oldest.getColumn(1).getString() >= oldest_id) break;
      last = oldest.getColumn(0).getInt64();
    }
    oldest.tryReset();
    if (last == 0) return 0;
    SQLite::Statement remove(database, "DELETE FROM event WHERE kept = 0 AND position <= ?");
    remove.bind(1, last);
    const int removed = remove.exec();
    database.exec(format("PRAGMA incremental_vacuum({})", kVacuumedPages));
    return removed;
  });
}

std::filesystem::path journal_file(const std::filesystem::path& state_folder) {
  return state_folder / "journal.db";
}

std::filesystem::path set_aside(const std::filesystem::path& file) {
  std::string stamp = time_text(wall_now());
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  const std::filesystem::path aside = file.string() + ".corrupt-" + stamp;
  for (const char* const beside : {"", "-wal", "-shm"}) {
    const std::string from = file.string() + beside, to = aside.string() + beside;
    if (std::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT)
      throw StorageError(from + ": is damaged and cannot be set aside: " + std::strerror(errno),
                         StorageFault::kOther);
  }
  return aside;
}

}  // namespace palisade
