#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/input_file.h"
#include "base/whole_file.h"
#include "service/transfer/run_folder.h"
#include "service/transfer/sweep.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr char kSettings[] = "sweep.yaml", kScores[] = "scores.jsonl";
constexpr std::size_t kMaxScore = 1u << 16;

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

void SweepFolder::require_fit(bool resumed) const {
  std::error_code error;
  if (resumed && !fs::exists(path_ / kSettings, error))
    throw UsageError(path_.string() + ": no sweep was begun there; begin one with --run");
  if (!resumed && fs::exists(path_, error) && !fs::is_empty(path_, error))
    throw UsageError(path_.string() + ": is not empty; name another folder, or go on with --resume");
}

void SweepFolder::begin(const SweepSettings& sweep) const {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw Error(path_.string() + ": cannot be made: " + error.message());
  write_whole_file(path_ / kSettings, sweep_text(sweep));
}

void SweepFolder::forget() const {
  std::error_code error;
  if (std::distance(fs::directory_iterator(path_, error), {}) > 1) return;
  fs::remove(path_ / kSettings, error);
  fs::remove(path_, error);
}

SweepSettings SweepFolder::settings() const {
  const fs::path file = path_ / kSettings;
  SweepSettings sweep;
  read_sweep(read_text_file(file, 1u << 20), file, sweep);
  return sweep;
}

std::vector<SweepRun> SweepFolder::runs() const {
  std::vector<SweepRun> runs;
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path_)) {
    if (fs::exists(entry.path() / "recipe.yaml")) names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  for (const std::string& name : names) runs.push_back({name, RunFolder(run(name)).settings()});
  if (!fs::exists(path_ / kScores)) return runs;
  try {
    LineReader lines(path_ / kScores, kMaxScore);
    for (std::string line; lines.next(line);) {
      const Json score = parse_json(line, (path_ / kScores).string());
      for (SweepRun& run : runs) {
        if (score.at("run") != run.name) continue;
        run.score = {score.at("exact").get<double>(), score.at("loss").get<double>(),
                     score.at("seconds").get<double>()};
        if (score.contains("metric")) run.score->metric = score.at("metric").get<double>();
      }
    }
  } catch (const Json::exception&) {
    throw Error((path_ / kScores).string() +
                ": holds no scores of a sweep; remove it, and its runs are judged again");
  }
  return runs;
}

void SweepFolder::report(const std::vector<SweepRun>& runs, const std::vector<std::string>& keys) const {
  std::string scores;
  for (const SweepRun& run : runs) {
    if (!run.score) continue;
    Json score = {{"run", run.name},
                  {"exact", run.score->exact},
                  {"loss", run.score->loss},
                  {"seconds", run.score->seconds}};
    if (run.score->metric) score["metric"] = *run.score->metric;
    scores += text_of(score);
  }
  write_whole_file(path_ / kScores, scores);
  write_whole_file(path_ / "report.md", table_of(runs, keys));
  write_whole_file(path_ / "report.svg", picture_of(runs, keys));
}

}  // namespace palisade
