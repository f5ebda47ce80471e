#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace palisade {

// A regular file that is held open and read by offset, never through a mapping: one that is cut short or
// fails under us is an error and not a signal. Who opens it shares it; any thread may read.
class ReadFile {
 public:
  // Throws Error where there is no such file, or it is a folder, a pipe or a device: none is waited for.
  explicit ReadFile(const std::filesystem::path& path);
  ~ReadFile();
  ReadFile(const ReadFile&) = delete;
  ReadFile& operator=(const ReadFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // As it was opened.
  std::uint64_t size() const { return size_; }
  bool readable_by_everybody() const { return readable_by_everybody_; }
  std::filesystem::file_time_type changed() const;
  // All of `out`, from `offset` on. Throws Error naming file, offset and what the system says.
  void read(std::uint64_t offset, std::span<std::byte> out) const;
  // Fills `out` from `offset` on; less only at the file's end, which may have moved. Throws Error.
  std::size_t read_some(std::uint64_t offset, std::span<std::byte> out) const;
  // Throws Error where size or time of change are no longer those of the opening: what was read until
  // now need not belong together.
  void require_unchanged() const;
  // The system is not to read what is around the little that is asked for.
  void expect_few_reads() const;

 private:
  [[noreturn]] void fail(const std::string& why) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::int64_t changed_ns_ = 0;  // since 1970
  bool readable_by_everybody_ = false;
};

}  // namespace palisade
