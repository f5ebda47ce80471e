#include "base/partial_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <set>
#include <utility>

namespace palisade {
namespace {

constexpr mode_t kFileMode = 0640;

// The open partial files. Never destroyed, because another thread may use it while the process exits.
struct OpenPartials {
  std::mutex mutex;
  std::multiset<std::filesystem::path> paths;  // guarded by mutex
};

OpenPartials& open_partials() {
  static auto* const all = new OpenPartials;
  return *all;
}

void forget_partial(const std::filesystem::path& path) {
  const std::lock_guard lock(open_partials().mutex);
  const auto found = open_partials().paths.find(path);
  if (found != open_partials().paths.end()) open_partials().paths.erase(found);
}

// The errno that forbids a file at this path; 0 if none.
int fault_of_place(const std::filesystem::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return errno == ENOENT ? 0 : errno;
  if (S_ISLNK(status.st_mode)) return ELOOP;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  return S_ISREG(status.st_mode) ? 0 : EEXIST;
}

}  // namespace

int PartialFile::open(const std::filesystem::path& wanted) {
  path = partial = wanted;
  partial += ".partial";
  if (errno = fault_of_place(path); errno != 0) return -1;
  // Removes what an earlier process left or somebody else put there; a link itself, not what it points to.
  if (::unlink(partial.c_str()) != 0 && errno != ENOENT) return -1;
  descriptor = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode);
  if (descriptor < 0) return -1;
  const std::lock_guard lock(open_partials().mutex);
  open_partials().paths.insert(partial);
  return descriptor;
}

bool PartialFile::commit() {
  struct stat written {
  }, there{};
  bool done =
      ::fsync(descriptor) == 0 && ::fstat(descriptor, &written) == 0 && ::lstat(partial.c_str(), &there) == 0;
  const bool ours = done && written.st_dev == there.st_dev && written.st_ino == there.st_ino;
  if (done && !ours) {
    done = false;
    errno = EBUSY;
  }
  int kept = errno;
  if (::close(std::exchange(descriptor, -1)) != 0 && done) {
    done = false;
    kept = errno;
  }
  if (done && ::rename(partial.c_str(), path.c_str()) != 0) {
    done = false;
    kept = errno;
  }
  if (done) {
    sync_folder(path.parent_path());
  } else if (ours) {
    ::unlink(partial.c_str());
  }
  forget_partial(partial);
  errno = kept;
  return done;
}

void PartialFile::discard() {
  if (descriptor < 0) return;
  const int kept = errno;
  ::close(std::exchange(descriptor, -1));
  ::unlink(partial.c_str());
  forget_partial(partial);
  errno = kept;
}

void discard_partial_files() {
  const std::lock_guard lock(open_partials().mutex);
  for (const std::filesystem::path& path : open_partials().paths) ::unlink(path.c_str());
}

int open_to_append(const std::filesystem::path& path) {
  if (errno = fault_of_place(path); errno != 0) return -1;
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, kFileMode);
}

void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace palisade
