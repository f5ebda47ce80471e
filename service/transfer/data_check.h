#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "model/config/model_config.h"
#include "model/text/tokenizer.h"
#include "service/transfer/file_content.h"
#include "service/transfer/transfer_lines.h"

namespace palisade {

// Against what files of examples are checked.
struct DataLimits {
  const ModelConfig& config;
  const Tokenizer& tokenizer;
  int text_length = 64;  // longest <bos> prefix "\n" suffix, in tokens
  int frames = 16;       // of a video
};

// Of all lines' numbers: the least, the median, that which 95 % do not exceed, and the largest.
struct NumberSpread {
  std::size_t least = 0, median = 0, most_of_95 = 0, most = 0;
};

// A line, and an earlier one that says the same of what is asked.
struct SameLines {
  std::string place, earlier;
};

// All that was found of some kind, and the first of them.
struct FoundPlaces {
  static constexpr std::size_t kKept = 20;
  std::size_t count = 0;
  std::vector<SameLines> first;

  void add(std::string place, std::string earlier = {});
};

// What is in a file of examples.
struct CheckedData {
  std::filesystem::path file;
  std::vector<TransferLine> lines;                          // that are examples
  LineProblems problems;                                    // the others, which a transfer refuses
  std::map<std::filesystem::path, FileContent> contents;    // of pictures and films that can be read
  std::map<std::filesystem::path, std::string> unreadable;  // and why not
  std::size_t films = 0;
  NumberSpread prefix, suffix, text;            // tokens; `text` is what text_length limits
  std::map<std::string, std::size_t> tasks;     // lines by task_of_prompt()
  std::map<std::string, std::size_t> suffixes;  // lines by answer

  // Places of lines, and why.
  FoundPlaces missing;        // pictures or films that are not there
  FoundPlaces broken;         // that cannot be read
  FoundPlaces too_long;       // over text_length, or over the model's positions with their pictures
  FoundPlaces empty;          // without an answer
  FoundPlaces repeated;       // pictures, prefix and suffix as in an earlier line
  FoundPlaces contradicting;  // pictures and prefix as in an earlier line, another suffix
  FoundPlaces renamed;        // a picture whose pixels an earlier line has under another name

  // Whether a transfer would take all of it.
  bool usable() const;
};

// What of one file is in another as well, by content.
struct DataLeaks {
  FoundPlaces pictures;   // lines of the second whose pictures the first has
  FoundPlaces questions;  // and whose prefix is asked of them there
  FoundPlaces examples;   // and whose suffix is the answer there
};

// Reads a file and decodes every picture and every film's first frame, on several threads. Throws Error where
// it cannot be read, SettingsError where it is no file of examples, both naming it.
CheckedData check_data(const std::filesystem::path& file, const DataLimits& limits,
                       const std::stop_token& stop);
DataLeaks leaks_between(const CheckedData& first, const CheckedData& second);

}  // namespace palisade
