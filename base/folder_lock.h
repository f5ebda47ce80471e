#pragma once

#include <filesystem>

namespace palisade {

// Holds a run's folder for this process by a lock on its file "lock", which the system releases however the
// process ends. The file holds the process's number and is removed with the lock.
class FolderLock {
 public:
  // Throws Unavailable naming the process that holds it. A folder that cannot be locked is used with a
  // warning.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  // False where the file was removed meanwhile.
  bool take();
  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace palisade
