#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace palisade {

// A regular file, open for reading at any offset. It is not memory-mapped, so that a file which is truncated
// or fails while it is read gives an error and not a signal. Thread-safe.
class ReadFile {
 public:
  // Throws Error if there is no such file or it is a folder, pipe or device. Never blocks on a pipe.
  explicit ReadFile(const std::filesystem::path& path);
  ~ReadFile();
  ReadFile(const ReadFile&) = delete;
  ReadFile& operator=(const ReadFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // These three as they were when the file was opened.
  std::uint64_t size() const { return size_; }
  bool readable_by_everybody() const { return readable_by_everybody_; }
  std::filesystem::file_time_type changed() const;
  // Fills all of `out` from `offset` on. Throws Error with file, offset and the system's message.
  void read(std::uint64_t offset, std::span<std::byte> out) const;
  // Fills `out` from `offset` on and returns how much; less than all only at the end of the file, which may
  // have moved since it was opened. Throws Error.
  std::size_t read_some(std::uint64_t offset, std::span<std::byte> out) const;
  // Throws Error if size or modification time have changed since the file was opened: what was read may then
  // be a mixture of old and new.
  void require_unchanged() const;
  // Turns the system's read-ahead off, for a few small reads.
  void expect_few_reads() const;

 private:
  [[noreturn]] void fail(const std::string& why) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::int64_t changed_ns_ = 0;  // modification time since 1970
  bool readable_by_everybody_ = false;
};

}  // namespace palisade
