#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "base/error.h"
#include "base/read_file.h"

namespace palisade {

// A ReadFile that is read from its start to its end. A read that fails is an error and never passes for the
// end. Throws Error. One thread's.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path) : file_(path) {}

  // Fills `into`; less only at the end.
  std::size_t read(std::span<char> into);
  std::uint64_t size() const { return file_.size(); }
  bool readable_by_everybody() const { return file_.readable_by_everybody(); }
  const std::filesystem::path& path() const { return file_.path(); }

 private:
  ReadFile file_;
  std::uint64_t at_ = 0;
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
