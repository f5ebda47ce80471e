#pragma once

#include <filesystem>

namespace palisade {

// The one way to write files: PATH.partial is written, and renamed to PATH once it is complete. Symbolic
// links are not followed, and only regular files are replaced. Files get mode 0640. On failure the functions
// return false or -1 and set errno.
struct PartialFile {
  // ELOOP if `path` is a symbolic link, EISDIR if it is a folder, EEXIST if it is another thing than a file.
  int open(const std::filesystem::path& path);
  // Syncs the file to the disk and renames it; closes it in any case. EBUSY if PATH.partial has become
  // another process's file.
  bool commit();
  // Closes and removes the file, if it is open.
  void discard();

  std::filesystem::path path, partial;
  int descriptor = -1;
};

// Removes all partial files that this process has open: for an exit without destructors. Thread-safe.
void discard_partial_files();

// Opens a file to append to it, under the same rules.
int open_to_append(const std::filesystem::path& path);
// Syncs a folder, so that a rename in it survives a power cut.
void sync_folder(const std::filesystem::path& folder);

}  // namespace palisade
