#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

#include "base/json.h"
#include "service/evaluation/evaluation_answer.h"
#include "service/evaluation/evaluation_settings.h"

namespace palisade {

// What an evaluation was begun with; it goes on with nothing else.
struct EvaluationOrigin {
  EvaluationSettings settings;
  std::size_t lines = 0;  // of the data
  std::string data_sha256;
  std::string model;    // its id, and the adapter's
  std::string weights;  // weights_mark()
};

// What an evaluation leaves on the disk:
//   evaluation.json     what it was begun with
//   predictions.jsonl   a line an example in the order of the data: the answer as soon as it is there, and
//   its
//                       scores at the end
//   report.json, report.md, report.html
// A killed process leaves the answers that it wrote. Throws Error naming the file.
class EvaluationFolder {
 public:
  explicit EvaluationFolder(std::filesystem::path path) : path_(std::move(path)) {}

  // Throws UsageError where the folder holds something else, or an evaluation although `resumed` is false.
  void require_fit(bool resumed) const;
  void begin(const EvaluationOrigin& origin) const;
  EvaluationOrigin origin() const;
  bool has_report() const;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path predictions() const { return path_ / "predictions.jsonl"; }
  std::filesystem::path report(const char* extension) const;

  // Cuts off a last line that is not whole, and returns how many there are.
  std::size_t mend_predictions() const;
  void append(const Json& prediction) const;
  // Each line with its number, from 1.
  void for_each_prediction(const std::function<void(const Json&, const std::string& place)>& use) const;

 private:
  std::filesystem::path path_;
};

// Names, sizes and times of the files with a model's or an adapter's weights: equal as long as they are the
// same ones. Empty without a folder.
std::string weights_mark(const std::filesystem::path& folder);

std::string json_line(const Json& json);

}  // namespace palisade
