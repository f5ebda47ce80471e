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

// What is wrong with the lines of one file, by their numbers; 0: with the file.
using LineProblems = std::map<int, std::string>;
inline constexpr std::size_t kMostLineProblems = 20;

// Reads a whole file of examples; relative paths are the file's folder's. Malformed lines and missing
// pictures go into `problems`, each with file and line, and reading ends after the most that are told.
std::vector<TransferLine> read_transfer_lines(const std::filesystem::path& file, LineProblems& problems);

// Throws SettingsError where there are any.
void require_none(const LineProblems& problems);

}  // namespace palisade
