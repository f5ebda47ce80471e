#include "service/journal/database.h"

#include <sqlite3.h>

#include <cstring>

namespace palisade {
namespace {

constexpr int kBusyMs = 1000;  // while another process writes

StorageFault fault_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return StorageFault::kBusy;
    case SQLITE_FULL:
      return StorageFault::kFull;
    case SQLITE_IOERR:
      return StorageFault::kFailing;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return StorageFault::kCorrupt;
    default:
      return StorageFault::kOther;
  }
}

std::string text_of(StorageFault fault, const SQLite::Exception& error) {
  switch (fault) {
    case StorageFault::kBusy:
      return "another process holds it";
    case StorageFault::kFull:
      return "no space left on the disk";
    case StorageFault::kFailing:
      return "the disk gives errors";
    case StorageFault::kCorrupt:
      return "it is damaged";
    case StorageFault::kOther:
      break;
  }
  return error.what();
}

int flags_of(Access access) {
  switch (access) {
    case Access::kCreate:
      return SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE;
    case Access::kWrite:
    case Access::kRead:  // a reader of a WAL has to write to its index
      return SQLite::OPEN_READWRITE;
  }
  return 0;
}

SQLite::Database opened(const std::filesystem::path& file, Access access) {
  try {
    return {file.string(), flags_of(access), kBusyMs};
  } catch (const SQLite::Exception&) {
    if (access != Access::kRead) throw;
    return {file.string(), SQLite::OPEN_READONLY, kBusyMs};  // of another user
  }
}

}  // namespace

void throw_storage_error(const SQLite::Exception& error, const std::filesystem::path& file) {
  const StorageFault fault = fault_of(error.getErrorCode());
  throw StorageError(file.string() + ": " + text_of(fault, error), fault);
}

SQLite::Database open_database(const std::filesystem::path& file, Access access) {
  return guarded(file, [&] {
    SQLite::Database database = opened(file, access);
    database.exec("PRAGMA cell_size_check=ON");
    if (access == Access::kRead) {
      database.exec("PRAGMA query_only=ON");
      return database;
    }
    // Only a database without tables can still choose it.
    database.exec("PRAGMA auto_vacuum=INCREMENTAL");
    database.exec(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON");
    return database;
  });
}

}  // namespace palisade
