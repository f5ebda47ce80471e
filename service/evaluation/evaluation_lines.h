#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

#include "base/json.h"
#include "service/transfer/transfer_lines.h"

namespace palisade {

// A line of the data of an evaluation. `json` has an "id": its own, or "#" and the hash of its text, so that
// a line keeps it wherever it stands in the file.
struct EvaluationLine {
  TransferLine line;
  Json json;
  std::string id;      // json["id"] as text
  std::string metric;  // its own "metric", or empty
  std::string group;   // its own "group", or empty

  std::string place() const { return line.place(); }
};

// The lines of a file of examples for evaluation, one at a time: those of transfer, whose suffix may be
// missing, with what a metric needs beside it. Throws as TransferLineReader does.
class EvaluationLineReader {
 public:
  using TakeCategories = std::function<void(const Json&)>;

  // `categories` is given lines of {"categories": [...]} alone, which are no examples.
  EvaluationLineReader(
      const std::filesystem::path& file, LineProblems& problems,
      TakeCategories categories = [](const Json&) {})
      : problems_(problems),
        lines_(file, problems, {.suffix = SuffixRule::kMayBeMissing, .categories = std::move(categories)}) {}
  // The next line without a problem; false at the end.
  bool next(EvaluationLine& line);

 private:
  LineProblems& problems_;
  TransferLineReader lines_;
  std::map<std::string, int> nameless_;  // hash of the text of a line without an id, and how often it came
};

// What a first look at the data finds.
struct EvaluationData {
  std::size_t lines = 0;
  std::string sha256;  // of the file, lower-case hex
};

// Reads the file once and has each line looked at, which throws Error (without file and line) for what is
// wrong with it, and each line of categories alone. Ids that come twice are problems as well. Throws
// SettingsError that names all problems.
EvaluationData look_through(const std::filesystem::path& file,
                            const std::function<void(const EvaluationLine&)>& look,
                            const EvaluationLineReader::TakeCategories& categories);

}  // namespace palisade
