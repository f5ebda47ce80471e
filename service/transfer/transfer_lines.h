#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/format.h"
#include "base/input_file.h"
#include "base/json.h"

namespace palisade {

// One line of a JSONL file of examples: {"image": PATH | "images": [PATH ...] | "video": PATH, "prefix": ...,
// "suffix": ...}.
struct TransferLine {
  std::filesystem::path file;
  int number = 0;    // from 1
  std::string text;  // as written
  std::vector<std::filesystem::path> pictures;
  std::filesystem::path video;
  std::string prefix;  // as whole_prompt() reads it
  std::string suffix;  // as plain_text() does

  std::string place() const { return format("{}:{}", file.string(), number); }
};

// Problems of the lines of one file, by line number; 0 means the file. All are counted, the first ones kept.
class LineProblems {
 public:
  void add(int line, std::string problem);
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  const std::map<int, std::string>& kept() const { return kept_; }

 private:
  std::map<int, std::string> kept_;
  std::size_t count_ = 0;
};

// Whether a line without a suffix is one.
enum class SuffixRule { kNeeded, kMayBeMissing };

// How a file of examples is read.
struct LineReading {
  std::string form = {};  // how prompts read (see MixturePart); empty: as they stand
  SuffixRule suffix = SuffixRule::kNeeded;
  bool missing_allowed = false;  // pictures and films need not be there
  // Is given lines that hold no example but {"categories": [...]}; without it they are a mistake.
  std::function<void(const Json&)> categories = {};
};

// The lines of a file of examples, one after the other, so that a file of any size takes the memory of one
// line. What is said of read_transfer_lines() holds for it.
class TransferLineReader {
 public:
  TransferLineReader(std::filesystem::path file, LineProblems& problems, LineReading reading = {});
  // The next line without a problem; false at the end.
  bool next(TransferLine& line);

 private:
  const std::filesystem::path file_;
  LineProblems& problems_;
  const LineReading reading_;
  LineReader reader_;
  bool went_on_ = false;  // the line before began an object that is spread over several
};

// Reads a file of examples; relative paths are relative to its folder. Malformed lines and missing pictures
// are added to `problems` with file and line. Reading ends at a line longer than 1 MiB or spread over
// several, and in a file of another kind. Throws Error where the file cannot be read, SettingsError where it
// is no such file.
std::vector<TransferLine> read_transfer_lines(const std::filesystem::path& file, LineProblems& problems,
                                              const LineReading& reading = {});

// Throws SettingsError where there are problems.
void require_none(const LineProblems& problems);

}  // namespace palisade
