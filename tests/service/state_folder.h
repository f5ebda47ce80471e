#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "service/journal/database.h"
#include "service/journal/event_store.h"

namespace palisade {

// A state folder that is removed with the test.
class StateFolder {
 public:
  StateFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "palisade-state-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~StateFolder() { std::filesystem::remove_all(path_); }
  StateFolder(const StateFolder&) = delete;
  StateFolder& operator=(const StateFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// As retention does, for one event.
inline void erase_one(const std::filesystem::path& folder, const std::string& topic, int sequence) {
  SQLite::Database database = open_database(journal_file(folder), Access::kWrite);
  SQLite::Statement erase(database, "DELETE FROM event WHERE topic = ? AND sequence = ?");
  erase.bind(1, topic);
  erase.bind(2, sequence);
  erase.exec();
}

}  // namespace palisade
