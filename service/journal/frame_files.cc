#include "service/journal/frame_files.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "base/format.h"
#include "base/time_text.h"
#include "base/ulid.h"
#include "service/journal/database.h"

namespace palisade {
namespace {

constexpr char kTable[] =
    "CREATE TABLE IF NOT EXISTS frame(number INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, format TEXT NOT "
    "NULL, "
    "width INTEGER NOT NULL, height INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE (sha256, format)) STRICT";
constexpr char kAdd[] =
    "INSERT OR IGNORE INTO frame(sha256, format, width, height, bytes) VALUES (?, ?, ?, ?, ?)";
constexpr char kFind[] =
    "SELECT format, width, height, bytes FROM frame WHERE sha256 = ? ORDER BY format = 'jpeg' LIMIT 1";
constexpr std::string_view kKept = "kept.db";

std::optional<EncodedFrame> find(SQLite::Database& database, const std::string& sha256) {
  SQLite::Statement query(database, kFind);
  query.bind(1, sha256);
  if (!query.executeStep()) return std::nullopt;
  return EncodedFrame{.format = query.getColumn(0).getString(),
                      .width = query.getColumn(1).getInt(),
                      .height = query.getColumn(2).getInt(),
                      .bytes = query.getColumn(3).getString()};
}

// The files in which an event's frames can be: those of the hour in which it was numbered, those of the hour
// before, in which they may have been taken, and that of kept events.
std::vector<std::filesystem::path> files_for(const std::filesystem::path& state_folder, std::string_view id) {
  std::vector<std::filesystem::path> files{frames_folder(state_folder) / kKept};
  const WallTime time = ulid_time(id);
  for (const WallTime hour : {time, time - std::chrono::hours(1)}) {
    const auto some = files_of_hour(state_folder, hour);
    files.insert(files.end(), some.begin(), some.end());
  }
  std::error_code error;
  std::erase_if(files, [&](const auto& file) { return !std::filesystem::exists(file, error); });
  return files;
}

}  // namespace

struct FrameFile::Connection {
  explicit Connection(const std::filesystem::path& file) : database(open_database(file, Access::kCreate)) {
    // Frames are many, and lost ones are told as gone: the disk need not confirm each.
    database.exec("PRAGMA synchronous=NORMAL");
    database.exec(kTable);
  }
  SQLite::Database database;
};

std::filesystem::path frames_folder(const std::filesystem::path& state_folder) {
  return state_folder / "frames";
}

std::string hour_name(WallTime time) {
  std::string name = time_text(time).substr(0, 13);
  std::erase_if(name, [](char c) { return c == '-' || c == 'T'; });
  return name;
}

std::vector<std::filesystem::path> files_of_hour(const std::filesystem::path& state_folder, WallTime time) {
  const std::filesystem::path first = frames_folder(state_folder) / hour_name(time);
  std::vector<std::filesystem::path> files{first.string() + ".db"};
  std::error_code error;
  const auto further = [&](int part) { return format("{}-{}.db", first.string(), part); };
  for (int part = 1; std::filesystem::exists(further(part), error); ++part) files.emplace_back(further(part));
  return files;
}

FrameFile::FrameFile(const std::filesystem::path& file) : path_(file) {
  std::error_code error;
  if (std::filesystem::create_directories(file.parent_path(), error))
    std::filesystem::permissions(file.parent_path(), std::filesystem::perms::owner_all, error);
  connection_ = guarded(file, [&] { return std::make_unique<Connection>(file); });
}

FrameFile::~FrameFile() = default;
FrameFile::FrameFile(FrameFile&&) noexcept = default;
FrameFile& FrameFile::operator=(FrameFile&&) noexcept = default;

std::uint64_t FrameFile::bytes() const {
  return guarded(path_, [&] {
    return std::uint64_t(connection_->database.execAndGet("PRAGMA page_count").getInt64()) *
           std::uint64_t(connection_->database.execAndGet("PRAGMA page_size").getInt64());
  });
}

void FrameFile::add(const std::vector<Entry>& entries) {
  guarded(path_, [&] {
    SQLite::Transaction transaction(connection_->database, SQLite::TransactionBehavior::IMMEDIATE);
    SQLite::Statement add(connection_->database, kAdd);
    for (const auto& [sha256, frame] : entries) {
      add.tryReset();
      add.bindNoCopy(1, sha256);
      add.bindNoCopy(2, frame.format);
      add.bind(3, frame.width);
      add.bind(4, frame.height);
      add.bindNoCopy(5, frame.bytes.data(), int(frame.bytes.size()));
      add.exec();
    }
    transaction.commit();
  });
}

std::vector<std::optional<EncodedFrame>> stored_frames(const std::filesystem::path& state_folder,
                                                       std::string_view id,
                                                       const std::vector<std::string>& sha256s) {
  std::vector<std::optional<EncodedFrame>> frames(sha256s.size());
  for (const auto& file : files_for(state_folder, id)) {
    guarded(file, [&] {
      SQLite::Database database = open_database(file, Access::kRead);
      if (!database.tableExists("frame")) return;  // another connection is just making the file
      for (std::size_t i = 0; i < sha256s.size(); ++i) {
        if (frames[i] && frames[i]->format != "jpeg") continue;
        if (auto found = find(database, sha256s[i]); found && (!frames[i] || found->format != "jpeg"))
          frames[i] = std::move(found);
      }
    });
  }
  return frames;
}

std::size_t keep_frames(const std::filesystem::path& state_folder, std::string_view id,
                        const std::vector<std::string>& sha256s) {
  std::vector<FrameFile::Entry> entries;
  auto frames = stored_frames(state_folder, id, sha256s);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (frames[i]) entries.push_back({sha256s[i], *std::move(frames[i])});
  }
  if (!entries.empty()) FrameFile(frames_folder(state_folder) / kKept).add(entries);
  return entries.size();
}

void erase_frames(const std::filesystem::path& state_folder, const std::vector<EventFrames>& events) {
  std::map<std::filesystem::path, std::set<std::string>> in_files;
  for (const EventFrames& event : events) {
    for (const auto& file : files_for(state_folder, event.id))
      in_files[file].insert(event.sha256s.begin(), event.sha256s.end());
  }
  for (const auto& [file, hashes] : in_files) {
    guarded(file, [&] {
      SQLite::Database database = open_database(file, Access::kWrite);
      SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
      SQLite::Statement remove(database, "DELETE FROM frame WHERE sha256 = ?");
      for (const std::string& sha256 : hashes) {
        remove.tryReset();
        remove.bind(1, sha256);
        remove.exec();
      }
      transaction.commit();
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    });
  }
}

}  // namespace palisade
