#include "model/whole_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "model/error.h"

namespace palisade {

WholeFile::WholeFile(const std::filesystem::path& path) : path_(path), partial_(path) {
  partial_ += ".partial";
  descriptor_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail("cannot be written");
}

WholeFile::~WholeFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(partial_.c_str());
}

void WholeFile::fail(const char* what) {
  const std::string reason = std::strerror(errno);
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    ::unlink(partial_.c_str());
    descriptor_ = -1;
  }
  throw ModelError(path_.string() + ": " + what + ": " + reason);
}

void WholeFile::write(std::span<const std::byte> bytes) {
  constexpr std::size_t kMost = 1u << 30;  // one call takes no more than 2 GB
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), std::min(bytes.size(), kMost));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot be written");
    bytes = bytes.subspan(std::size_t(written));
  }
}

void WholeFile::write_at(std::size_t offset, std::span<const std::byte> bytes) {
  if (::lseek(descriptor_, off_t(offset), SEEK_SET) < 0) fail("cannot be written");
  write(bytes);
  if (::lseek(descriptor_, 0, SEEK_END) < 0) fail("cannot be written");
}

void WholeFile::commit() {
  if (::fsync(descriptor_) != 0) fail("cannot be written");
  if (::close(descriptor_) != 0) {
    descriptor_ = -1;
    fail("cannot be written");
  }
  descriptor_ = -1;
  if (::rename(partial_.c_str(), path_.c_str()) != 0) {
    const int kept = errno;
    ::unlink(partial_.c_str());
    errno = kept;
    fail("cannot be put in its place");
  }
  sync_folder(path_.parent_path());
}

void write_whole_file(const std::filesystem::path& path, std::string_view text) {
  WholeFile file(path);
  file.write(text);
  file.commit();
}

void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace palisade
