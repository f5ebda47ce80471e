#pragma once

#include <filesystem>

#include "service/journal/database.h"

namespace palisade {

// Brings the journal's tables to this program's version, each step in a transaction of its own. Throws
// StorageError, also where a newer Palisade has written the file.
void bring_up_to_date(SQLite::Database& database, const std::filesystem::path& file);

}  // namespace palisade
