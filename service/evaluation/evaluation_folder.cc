#include "service/evaluation/evaluation_folder.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/format.h"
#include "base/input_file.h"
#include "base/whole_file.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr char kOrigin[] = "evaluation.json";
constexpr std::size_t kMaxPrediction = 16u << 20;

}  // namespace

std::string json_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string weights_mark(const fs::path& folder) {
  if (folder.empty()) return {};
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".safetensors") continue;
    const auto changed = fs::last_write_time(entry.path(), error).time_since_epoch().count();
    files.push_back(
        format("{} {} {}", entry.path().filename().string(), fs::file_size(entry.path(), error), changed));
  }
  std::ranges::sort(files);
  std::string mark;
  for (const std::string& file : files) mark += (mark.empty() ? "" : ", ") + file;
  return mark;
}

fs::path EvaluationFolder::report(const char* extension) const {
  return path_ / (std::string("report.") + extension);
}

bool EvaluationFolder::has_report() const {
  std::error_code error;
  return fs::exists(report("json"), error);
}

void EvaluationFolder::require_fit(bool resumed) const {
  std::error_code error;
  if (resumed && !fs::exists(path_ / kOrigin, error))
    throw UsageError(path_.string() + ": no evaluation was begun there; begin one with --run");
  if (!resumed && fs::exists(path_, error) && !fs::is_empty(path_, error))
    throw UsageError(path_.string() + ": is not empty; name another folder, or go on with --resume");
}

void EvaluationFolder::begin(const EvaluationOrigin& origin) const {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw Error(path_.string() + ": cannot be made: " + error.message());
  const Json json = {{"settings", to_json(origin.settings)},
                     {"lines", origin.lines},
                     {"data_sha256", origin.data_sha256},
                     {"model", origin.model},
                     {"weights", origin.weights}};
  write_whole_file(path_ / kOrigin, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

EvaluationOrigin EvaluationFolder::origin() const {
  const std::string what = (path_ / kOrigin).string();
  const Json json = read_json(path_ / kOrigin, 1u << 20);
  try {
    return {.settings = evaluation_settings_of(json.at("settings"), what),
            .lines = json.at("lines").get<std::size_t>(),
            .data_sha256 = json.at("data_sha256").get<std::string>(),
            .model = json.at("model").get<std::string>(),
            .weights = json.at("weights").get<std::string>()};
  } catch (const Json::exception& problem) {
    throw Error(what + ": is not of an evaluation (" + problem.what() + "); begin another one with --run");
  }
}

std::size_t EvaluationFolder::mend_predictions() const {
  std::error_code error;
  if (!fs::exists(predictions(), error)) return 0;
  std::size_t lines = 0;
  std::uintmax_t read = 0, whole = 0;
  {
    InputFile file(predictions());
    std::string bytes(1u << 16, '\0');
    while (const std::size_t size = file.read(bytes)) {
      for (std::size_t i = 0; i < size; ++i) {
        if (bytes[i] != '\n') continue;
        ++lines;
        whole = read + i + 1;
      }
      read += size;
    }
  }
  if (whole < read) fs::resize_file(predictions(), whole, error);
  if (error) throw Error(predictions().string() + ": cannot be written: " + error.message());
  return lines;
}

void EvaluationFolder::append(const Json& prediction) const {
  append_line(predictions(), json_line(prediction));
}

void EvaluationFolder::for_each_prediction(
    const std::function<void(const Json&, const std::string&)>& use) const {
  LineReader lines(predictions(), kMaxPrediction);
  for (std::string line; lines.next(line);) {
    const std::string place = format("{}:{}", predictions().string(), lines.number());
    use(parse_json(line, place), place);
  }
}

}  // namespace palisade
