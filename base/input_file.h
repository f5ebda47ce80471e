#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "base/error.h"
#include "base/read_file.h"

namespace palisade {

// A ReadFile that is read from start to end. A failed read throws Error, so that it cannot pass for the end
// of the file. Not thread-safe.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path) : file_(path) {}

  // Fills `into` and returns how much of it; less than all only at the end of the file.
  std::size_t read(std::span<char> into);
  std::uint64_t size() const { return file_.size(); }
  bool readable_by_everybody() const { return file_.readable_by_everybody(); }
  const std::filesystem::path& path() const { return file_.path(); }

 private:
  ReadFile file_;
  std::uint64_t at_ = 0;
};

class LineTooLong : public Error {
  using Error::Error;
};

// Reads a file line by line. Throws Error.
class LineReader {
 public:
  LineReader(const std::filesystem::path& path, std::size_t most_bytes);
  // Reads the next line, without its "\n"; false at the end of the file. Throws LineTooLong, which names file
  // and line, for a line of more than `most_bytes`.
  bool next(std::string& line);
  int number() const { return number_; }           // of the last line, from 1
  bool ended_open() const { return ended_open_; }  // the last line had no "\n"

 private:
  InputFile file_;
  std::size_t most_bytes_;
  std::string buffer_;
  std::size_t used_ = 0;  // bytes of buffer_
  int number_ = 0;
  bool ended_open_ = false;
};

}  // namespace palisade
