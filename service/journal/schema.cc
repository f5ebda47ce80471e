#include "service/journal/schema.h"
#include "base/format.h"

#include <string>

namespace palisade {
namespace {

// One entry is one version. What has been released is never edited: a change is a further entry.
//
// event.body is what was published, to the byte; the columns beside it are read from it (event_row.cc).
constexpr const char* kMigrations[] = {
    R"(
CREATE TABLE event(
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  topic TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  stream TEXT NOT NULL,
  task TEXT NOT NULL,
  kind INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  p REAL,
  text TEXT NOT NULL,
  body TEXT NOT NULL,
  kept INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX event_topic ON event(topic, sequence);
CREATE INDEX event_stream ON event(stream, position);
CREATE INDEX event_time ON event(time_ms);
CREATE VIRTUAL TABLE event_text USING fts5(text, content='event', content_rowid='position', tokenize='unicode61');
CREATE TRIGGER event_added AFTER INSERT ON event BEGIN
  INSERT INTO event_text(rowid, text) VALUES (new.position, new.text);
END;
CREATE TRIGGER event_removed AFTER DELETE ON event BEGIN
  INSERT INTO event_text(event_text, rowid, text) VALUES ('delete', old.position, old.text);
END;
CREATE TABLE topic(topic TEXT PRIMARY KEY, sequence INTEGER NOT NULL, id TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE verdict(
  id TEXT PRIMARY KEY REFERENCES event(id) ON DELETE CASCADE,
  verdict TEXT NOT NULL CHECK (verdict IN ('right', 'wrong')),
  text TEXT,
  time_ms INTEGER NOT NULL
) STRICT;
)",
    // Of the last frame that an answer saw: f16 values of length 1 (likeness.h).
    R"(
CREATE TABLE likeness(
  position INTEGER PRIMARY KEY REFERENCES event(position) ON DELETE CASCADE,
  vector BLOB NOT NULL
) STRICT;
)",
    // The oldest events that may be removed.
    R"(
CREATE INDEX event_unkept ON event(position) WHERE kept = 0;
)",
};
constexpr int kVersion = std::size(kMigrations);

}  // namespace

void bring_up_to_date(SQLite::Database& database, const std::filesystem::path& file) {
  guarded(file, [&] {
    int version = database.execAndGet("PRAGMA user_version").getInt();
    if (version > kVersion)
      throw StorageError(
          format("{}: was written by a newer Palisade (version {} of its tables, this one knows "
                 "{}); use that one, or another state folder",
                 file.string(), version, kVersion),
          StorageFault::kOther);
    for (; version < kVersion; ++version) {
      SQLite::Transaction migration(database, SQLite::TransactionBehavior::IMMEDIATE);
      database.exec(kMigrations[version]);
      database.exec(format("PRAGMA user_version={}", version + 1));
      migration.commit();
    }
  });
}

}  // namespace palisade
