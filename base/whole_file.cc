#include "base/whole_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/error.h"

namespace palisade {

WholeFile::WholeFile(const std::filesystem::path& path) {
  if (file_.open(path) < 0) fail("cannot be written");
}

WholeFile::~WholeFile() {
  file_.discard();
}

void WholeFile::fail(const char* what) {
  const bool link = errno == ELOOP, taken = errno == EBUSY, other = errno == EEXIST;
  const std::string reason = link    ? "it is a symbolic link, which is not followed; name the file itself"
                             : taken ? "another process writes it"
                             : other ? "something stands there that is no file"
                                     : std::strerror(errno);
  file_.discard();
  throw Error(file_.path.string() + ": " + what + ": " + reason);
}

void WholeFile::write(std::span<const std::byte> bytes) {
  constexpr std::size_t kMaxBytes = 1u << 30;  // Linux writes at most 2 GB a call
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.descriptor, bytes.data(), std::min(bytes.size(), kMaxBytes));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot be written");
    bytes = bytes.subspan(std::size_t(written));
  }
}

void WholeFile::write_at(std::size_t offset, std::span<const std::byte> bytes) {
  if (::lseek(file_.descriptor, off_t(offset), SEEK_SET) < 0) fail("cannot be written");
  write(bytes);
  if (::lseek(file_.descriptor, 0, SEEK_END) < 0) fail("cannot be written");
}

void WholeFile::make_private() {
  if (::fchmod(file_.descriptor, S_IRUSR | S_IWUSR) != 0) fail("cannot be kept from others");
}

void WholeFile::commit() {
  if (!file_.commit()) fail("cannot be written");
}

void write_whole_file(const std::filesystem::path& path, std::string_view text) {
  WholeFile file(path);
  file.write(text);
  file.commit();
}

void write_private_file(const std::filesystem::path& path, std::string_view text) {
  WholeFile file(path);
  file.make_private();
  file.write(text);
  file.commit();
}

void append_line(const std::filesystem::path& path, std::string_view line) {
  const std::string text = std::string(line) + "\n";
  const int descriptor = open_to_append(path);
  const bool written =
      descriptor >= 0 && ::write(descriptor, text.data(), text.size()) == ssize_t(text.size());
  const std::string reason =
      errno == ELOOP ? "it is a symbolic link, which is not followed" : std::strerror(errno);
  if (descriptor >= 0) ::close(descriptor);
  if (!written) throw Error(path.string() + ": cannot be written: " + reason);
}

}  // namespace palisade
