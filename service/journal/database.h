#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <string>

#include "base/error.h"

namespace palisade {

// What is wrong with a database, as far as it matters for what to do about it.
enum class StorageFault {
  kBusy,     // another process holds it; try again
  kFull,     // no space left on the disk
  kFailing,  // the disk gives errors
  kCorrupt,  // its bytes are not what SQLite wrote
  kOther,
};

// Something cannot be stored or read; what() says why.
class StorageError : public Error {
 public:
  StorageError(const std::string& message, StorageFault fault)
      : Error(message, fault == StorageFault::kBusy ? ErrorKind::kUnavailable : ErrorKind::kFailed),
        fault_(fault) {}
  StorageFault fault() const { return fault_; }

 private:
  StorageFault fault_;
};

// Calls `work`, and turns what SQLite throws into a StorageError that names `file`.
[[noreturn]] void throw_storage_error(const SQLite::Exception& error, const std::filesystem::path& file);
template <class Work>
auto guarded(const std::filesystem::path& file, Work&& work) {
  try {
    return work();
  } catch (const SQLite::Exception& error) {
    throw_storage_error(error, file);
  }
}

enum class Access {
  kCreate,  // read and written, made where it is missing
  kWrite,   // read and written
  kRead,    // read, beside a process that writes
};

// Opens a SQLite file in WAL mode. Every commit is on the disk before it returns (synchronous=FULL), what is
// deleted is overwritten (secure_delete). Throws StorageError.
SQLite::Database open_database(const std::filesystem::path& file, Access access);

}  // namespace palisade
