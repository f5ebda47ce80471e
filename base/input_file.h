#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "base/error.h"

namespace palisade {

// A regular file that is read from its start to its end. A read that fails is an error and never passes for
// the end; a folder, a pipe or a device is refused without being waited for. Throws Error naming the
// file and what the system says. One thread's.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // Fills `into`; less only at the end.
  std::size_t read(std::span<char> into);
  // When it was opened.
  std::uint64_t size() const { return size_; }
  bool readable_by_everybody() const { return readable_by_everybody_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  [[noreturn]] void fail(const std::string& why) const;
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  bool readable_by_everybody_ = false;
};

// A line that goes on and on.
class LineTooLong : public Error {
  using Error::Error;
};

// The lines of a file, each without its "\n". Throws Error.
class LineReader {
 public:
  LineReader(const std::filesystem::path& path, std::size_t most_bytes);
  // False at the end. Throws LineTooLong naming file and line as soon as one is longer than `most_bytes`.
  bool next(std::string& line);
  int number() const { return number_; }           // of the line that came last, from 1
  bool ended_open() const { return ended_open_; }  // the line that came last had no "\n"

 private:
  InputFile file_;
  std::size_t most_bytes_;
  std::string buffer_;
  std::size_t used_ = 0;  // of buffer_
  int number_ = 0;
  bool ended_open_ = false;
};

}  // namespace palisade
