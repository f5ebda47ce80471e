#include "base/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/error.h"
#include "base/log.h"

namespace palisade {
namespace {

// "process 1234", as the lock's owner wrote it.
std::string owner_of(int descriptor) {
  std::array<char, 16> text{};
  const ssize_t read = ::pread(descriptor, text.data(), text.size() - 1, 0);
  const std::string number(text.data(), std::size_t(std::max<ssize_t>(read, 0)));
  const bool known =
      !number.empty() && std::ranges::all_of(number, [](unsigned char c) { return std::isdigit(c); });
  return known ? "process " + number : "another process";
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder) : file_(folder / "lock") {
  while (!take()) {
  }
}

bool FolderLock::take() {
  descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (descriptor_ < 0) throw Error(file_.string() + ": cannot be written: " + std::strerror(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int why = errno;
    const std::string owner = owner_of(descriptor_);
    if (why == EWOULDBLOCK) {
      ::close(descriptor_);
      throw Unavailable(file_.parent_path().string() + ": " + owner +
                        " is at work in it; wait for it, or stop it");
    }
    log_warning(file_.string() + ": cannot be locked (" + std::strerror(why) +
                "): see to it that no other process uses the folder");
  }
  // The previous owner may have removed the file between open() and flock().
  struct stat held {
  }, there{};
  const bool same =
      ::fstat(descriptor_, &held) == 0 && ::stat(file_.c_str(), &there) == 0 && held.st_ino == there.st_ino;
  if (!same) {
    ::close(descriptor_);
    return false;
  }
  const std::string number = std::to_string(::getpid());
  if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, number.data(), number.size(), 0) < 0)
    log_warning(file_.string() + ": cannot be written: " + std::strerror(errno));
  return true;
}

FolderLock::~FolderLock() {
  ::unlink(file_.c_str());
  ::close(descriptor_);
}

}  // namespace palisade
