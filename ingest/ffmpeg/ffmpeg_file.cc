#include "ingest/ffmpeg/ffmpeg_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <string>

#include "ingest/source/source.h"

namespace palisade {
namespace {

constexpr int kBuffer = 64 << 10;

SourceError unreadable(const std::filesystem::path& path, const std::string& why) {
  return {SourceFault::kUnreadable, path.string() + ": " + why};
}

}  // namespace

FileInput::FileInput(const std::filesystem::path& path, const Deadline& deadline)
    : deadline_(deadline), path_(path) {
  // O_NONBLOCK: opening a FIFO would wait for its writer.
  file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file_ < 0) throw unreadable(path, std::string("cannot be opened: ") + std::strerror(errno));
  struct stat status {};
  if (::fstat(file_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(file_);
    throw unreadable(path, "not a regular file: give a video file");
  }
  if (status.st_size == 0) {
    ::close(file_);
    throw unreadable(path, "the file is empty: copy or load it again");
  }
  size_ = status.st_size;
  modified_ = WallTime(std::chrono::seconds(status.st_mtim.tv_sec) +
                       std::chrono::microseconds(status.st_mtim.tv_nsec / 1000));
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBuffer));
  if (buffer != nullptr) io_.reset(avio_alloc_context(buffer, kBuffer, 0, this, read, nullptr, seek));
  if (io_ == nullptr) {
    av_free(buffer);
    ::close(file_);
    throw std::bad_alloc();
  }
}

FileInput::~FileInput() {
  ::close(file_);
}

std::vector<std::byte> FileInput::start() const {
  std::vector<std::byte> bytes(kBuffer);
  const ssize_t got = ::pread(file_, bytes.data(), bytes.size(), 0);
  bytes.resize(got > 0 ? std::size_t(got) : 0);
  return bytes;
}

void FileInput::require_sound() const {
  if (failure_ != 0) throw unreadable(path_, std::string("cannot be read: ") + std::strerror(failure_));
}

int FileInput::read(void* self, std::uint8_t* out, int size) {
  auto& input = *static_cast<FileInput*>(self);
  const int file = input.file_;
  while (true) {
    if (input.deadline_.passed()) return AVERROR_EXIT;
    const ssize_t got = ::read(file, out, std::size_t(size));
    if (got > 0) return int(got);
    if (got == 0) return AVERROR_EOF;
    if (errno == EINTR) continue;
    input.failure_ = errno;
    return AVERROR(input.failure_);
  }
}

std::int64_t FileInput::seek(void* self, std::int64_t offset, int whence) {
  const auto& input = *static_cast<FileInput*>(self);
  if ((whence & AVSEEK_SIZE) != 0) return input.size_;
  const off_t at = ::lseek(input.file_, offset, whence & ~AVSEEK_FORCE);
  return at < 0 ? AVERROR(errno) : at;
}

}  // namespace palisade
