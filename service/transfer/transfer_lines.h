#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace palisade {

// One line of a JSONL file of examples: {"image": PATH | "images": [PATH ...] | "video": PATH, "prefix": ...,
// "suffix": ...}.
struct TransferLine {
  std::filesystem::path file;
  int number = 0;    // from 1
  std::string text;  // as it stands there
  std::vector<std::filesystem::path> pictures;
  std::filesystem::path video;
  std::string prefix;  // as whole_prompt() reads it
  std::string suffix;  // as plain_text() does

  std::string place() const { return file.string() + ":" + std::to_string(number); }
};

// What is wrong with the lines of one file, by their numbers; 0: with the file. All are counted, the first
// ones kept.
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

// Reads a whole file of examples; relative paths are the file's folder's. Malformed lines and missing
// pictures go into `problems`, each with file and line; reading ends where what follows can't be judged: in a
// file that is something else, or a line that is longer than 1 MiB or goes on in the next. Throws Error
// where the file cannot be read, SettingsError where it is none.
std::vector<TransferLine> read_transfer_lines(const std::filesystem::path& file, LineProblems& problems);

// Throws SettingsError where there are any.
void require_none(const LineProblems& problems);

}  // namespace palisade
