#pragma once

#include <filesystem>

namespace palisade {

// Keeps a run's folder for this process while it lives: a lock on the file "lock" in it, which ends with the
// process however that ends. The file holds the process's number and goes with the lock.
class FolderLock {
 public:
  // Throws Unavailable naming the process that has it. A folder that can't be locked is told and used.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  // False where the file was taken away meanwhile.
  bool take();
  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace palisade
