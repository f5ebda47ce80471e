#pragma once

#include <filesystem>

namespace palisade {

// The one way in which files are written: what becomes PATH stands in PATH.partial beside it until it is
// whole. No symbolic link is followed and nothing but a regular file is replaced; files are read and written
// by their owner and read by the group (0640). Each returns false or -1 with errno.
struct PartialFile {
  // ELOOP where `path` is a symbolic link, EISDIR, EEXIST where it is another thing than a file.
  int open(const std::filesystem::path& path);
  // Syncs it to the disk and renames it; closes it in any case. EBUSY where another process has taken its
  // place.
  bool commit();
  // Closes and removes it, where it is open.
  void discard();

  std::filesystem::path path, partial;
  int descriptor = -1;
};

// Removes the partial files that this process has open. For an exit without destructors, on any thread.
void discard_partial_files();

// A file that lines are added to, under the same rules.
int open_to_append(const std::filesystem::path& path);
// Makes a rename inside the folder last, as far as the system can.
void sync_folder(const std::filesystem::path& folder);

}  // namespace palisade
