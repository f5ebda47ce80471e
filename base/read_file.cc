#include "base/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/error.h"
#include "base/format.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxAtOnce = std::size_t(1) << 30;  // Linux reads at most 2 GB a call

std::int64_t change_of(const struct stat& status) {
  return std::int64_t(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
}

}  // namespace

// With O_NONBLOCK, because opening a pipe would block otherwise.
ReadFile::ReadFile(const std::filesystem::path& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
  if (descriptor_ < 0 && errno == ENOENT) fail("no such file");
  if (descriptor_ < 0) fail(std::string("cannot be opened: ") + std::strerror(errno));
  struct stat status {};
  const bool known = ::fstat(descriptor_, &status) == 0;
  if (!known || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    fail(known && S_ISDIR(status.st_mode) ? "not a regular file but a folder" : "not a regular file");
  }
  size_ = std::uint64_t(status.st_size);
  changed_ns_ = change_of(status);
  readable_by_everybody_ = (status.st_mode & S_IROTH) != 0;
}

ReadFile::~ReadFile() {
  ::close(descriptor_);
}

void ReadFile::fail(const std::string& why) const {
  throw Error(path_.string() + ": " + why);
}

std::filesystem::file_time_type ReadFile::changed() const {
  return std::chrono::file_clock::from_sys(
      std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::nanoseconds(changed_ns_)));
}

std::size_t ReadFile::read_some(std::uint64_t offset, std::span<std::byte> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const std::uint64_t at = offset + done;
    const std::size_t wanted = std::min(out.size() - done, kMaxAtOnce);
    const ssize_t count = ::pread(descriptor_, out.data() + done, wanted, off_t(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(format("cannot be read at byte {}: {}", at, std::strerror(errno)));
    if (count == 0) break;
    done += std::size_t(count);
  }
  return done;
}

void ReadFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  const std::size_t got = read_some(offset, out);
  if (got == out.size()) return;
  fail(format("ends at byte {}, and had {} bytes when it was opened: it was cut short while it was read",
              offset + got, size_));
}

void ReadFile::require_unchanged() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail(std::string("cannot be looked at: ") + std::strerror(errno));
  if (std::uint64_t(status.st_size) != size_ || change_of(status) != changed_ns_)
    fail("was changed while it was read; start again once nobody writes to it");
}

void ReadFile::expect_few_reads() const {
  ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_RANDOM);
}

}  // namespace palisade
