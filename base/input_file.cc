#include "base/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace palisade {
namespace {

constexpr std::size_t kReadAtOnce = 1u << 16;

}  // namespace

InputFile::InputFile(const std::filesystem::path& path) : path_(path) {
  // Without O_NONBLOCK the opening of a pipe would wait for somebody to write into it.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor_ < 0 && errno == ENOENT) fail("no such file");
  if (descriptor_ < 0) fail("cannot be opened: " + std::string(std::strerror(errno)));
  struct stat status {};
  const bool known = ::fstat(descriptor_, &status) == 0;
  if (!known || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    fail(known && S_ISDIR(status.st_mode) ? "not a regular file but a folder" : "not a regular file");
  }
  size_ = std::uint64_t(status.st_size);
  readable_by_everybody_ = (status.st_mode & S_IROTH) != 0;
}

InputFile::~InputFile() {
  ::close(descriptor_);
}

void InputFile::fail(const std::string& why) const {
  throw Error(path_.string() + ": " + why);
}

std::size_t InputFile::read(std::span<char> into) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const ssize_t got = ::read(descriptor_, into.data() + filled, into.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot be read: " + std::string(std::strerror(errno)));
    if (got == 0) break;
    filled += std::size_t(got);
  }
  return filled;
}

LineReader::LineReader(const std::filesystem::path& path, std::size_t most_bytes)
    : file_(path), most_bytes_(most_bytes) {}

bool LineReader::next(std::string& line) {
  line.clear();
  ended_open_ = false;
  while (true) {
    const std::size_t end = buffer_.find('\n', used_);
    line.append(buffer_, used_, std::min(end, buffer_.size()) - used_);
    if (line.size() > most_bytes_)
      throw LineTooLong(file_.path().string() + ":" + std::to_string(number_ + 1) +
                        ": the line is longer than " + std::to_string(most_bytes_) + " bytes");
    if (end != std::string::npos) {
      used_ = end + 1;
      ++number_;
      return true;
    }
    buffer_.resize(kReadAtOnce);
    buffer_.resize(file_.read(buffer_));
    used_ = 0;
    if (!buffer_.empty()) continue;
    ended_open_ = !line.empty();
    number_ += ended_open_ ? 1 : 0;
    return ended_open_;
  }
}

}  // namespace palisade
