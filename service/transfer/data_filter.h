#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "service/transfer/transfer_lines.h"
#include "tasks/filters/text_patterns.h"

namespace palisade {

// What an example must not be (PaliGemma, arXiv 2407.07726), as a YAML file says it:
//   words: [FILE ...]          words and phrases that neither prefix nor suffix may hold, one a line
//   personal_data: [KIND ...]  of personal_data_kinds()
//   patterns: {NAME: EXPRESSION ...}   more of that, in RE2's syntax
//   least_side, most_side      pixels of a picture's sides
//   most_aspect                of the longer side over the shorter
//   duplicates: [examples]     the same pictures, prefix and suffix as an earlier one
//   duplicates: [pictures]     the same pictures as an earlier one under other names
// Pictures are the same where their pixels are, videos where their bytes are. Relative paths are the file's
// folder's.
struct FilterSettings {
  TextPatterns text;
  int least_side = 0;
  int most_side = 0;       // 0: any
  double most_aspect = 0;  // 0: any
  bool same_examples = false;
  bool same_pictures = false;
};

// Throws SettingsError.
FilterSettings read_filters(std::string_view text, const std::filesystem::path& file);

// An example that was removed. `reason` is the filter's key ("personal_data: email"), or "unreadable" for a
// picture. Neither field holds the text that was found, so that a report can be passed on.
struct RemovedLine {
  std::filesystem::path file;
  int line = 0;
  std::string reason;
  std::string detail;
};

struct FilteredLines {
  std::vector<TransferLine> kept;
  std::vector<RemovedLine> removed;
};

// Filters lines and keeps their order. Of several reasons the first is reported: text, then size, then
// duplicates. Decodes pictures where size or duplicates need it, with progress on stderr.
FilteredLines filtered(std::vector<TransferLine> lines, const FilterSettings& filters);
// The same with the filters of a file. Throws SettingsError, also where no line is left.
FilteredLines filtered(std::vector<TransferLine> lines, const std::filesystem::path& filters);

// JSON lines {"file": ..., "line": ..., "reason": ..., "detail": ...}.
std::string removed_text(const std::vector<RemovedLine>& removed);
std::map<std::string, int> counts_of(const std::vector<RemovedLine>& removed);  // by reason
// "3 of 10 examples removed: personal_data: email 2, least_side 1"
std::string summary_of(const FilteredLines& lines);

}  // namespace palisade
