#include "service/transfer/sweep.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "base/format.h"
#include "base/joined.h"
#include "base/log.h"
#include "model/config/model_config.h"
#include "service/terminal/progress.h"
#include "service/transfer/run_folder.h"
#include "service/transfer/score_history.h"
#include "service/transfer/transfer.h"

namespace palisade {
namespace {

using std::chrono::steady_clock;
using Candidates = std::vector<TransferSettings>;

// The recipe without beams, which do not change training.
std::string training_of(TransferSettings settings) {
  settings.beams = 1;
  return recipe_text(settings);
}

// The score of a finished run: of the evaluation whose weights became its model. Throws Error where that gave
// no number.
SweepScore score_of(const RunFolder& folder, const TransferSettings& settings, double seconds) {
  const std::vector<Json> metrics = folder.metrics();
  const auto number = [](const Json& line, const char* key) {
    const auto found = line.find(key);
    return found != line.end() && found->is_number() ? found->get<double>() : NAN;
  };
  SweepScore score{.exact = NAN, .loss = NAN, .seconds = seconds};
  const std::optional<int> best = ScoreHistory(metrics, settings.metric).best_step();
  for (const Json& line : metrics) {
    if (!line.contains("evaluation_loss") || (best && line.at("step") != *best)) continue;
    score.exact = number(line, "evaluation_exact");
    score.loss = number(line, "evaluation_loss");
    if (best) score.metric = number(line, "evaluation_score");
  }
  for (const Json& line : metrics) {
    if (settings.beams <= 1 || !line.contains("evaluation_exact_by_beams")) continue;
    score.exact = number(line, "evaluation_exact_by_beams");
    if (best) score.metric = number(line, "evaluation_score_by_beams");
  }
  if (!std::isfinite(score.exact) || !std::isfinite(score.loss) || !std::isfinite(score.metric.value_or(0)))
    throw Error("the evaluation's loss is no finite number");
  return score;
}

// A sweep in progress.
class Sweep {
 public:
  Sweep(const SweepSettings& settings, const SweepFolder& folder, const std::stop_token& stop)
      : settings_(settings),
        folder_(folder),
        stop_(stop),
        own_resolution_(read_model_config(settings.recipe.model).vision.image_size) {
    result_.runs = folder.runs();
    for (const SweepAxis& axis : axes_at(settings.recipe)) result_.keys.push_back(axis.key);
  }

  SweepResult run() {
    result_.stopped = !(settings_.in_order ? run_in_order() : run_all(grid_of(settings_), {}));
    if (!result_.stopped) keep_weights_of(nullptr);
    folder_.report(result_.runs, result_.keys);
    return std::move(result_);
  }

 private:
  std::vector<SweepAxis> axes_at(const TransferSettings& current) const {
    return settings_.axes.empty() ? published_axes(current, own_resolution_) : settings_.axes;
  }

  static void add_values(const SweepAxis& axis, const TransferSettings& current, Candidates& candidates) {
    for (const std::string& value : axis.values) candidates.push_back(with_value(current, axis.key, value));
  }

  bool run_in_order() {
    TransferSettings current = settings_.recipe;
    if (current.resolution == 0) current.resolution = own_resolution_;
    for (std::size_t axis = 0; axis < axes_at(current).size(); ++axis) {
      const auto axes = axes_at(current);
      Candidates candidates, later;
      add_values(axes[axis], current, candidates);
      for (std::size_t next = axis + 1; next < axes.size(); ++next) add_values(axes[next], current, later);
      if (!run_all(candidates, later)) return false;
      if (const SweepRun* const best = best_of(result_.runs)) current = best->settings;
    }
    return true;
  }

  // False where it was stopped. `later` are the runs that will probably follow.
  bool run_all(const Candidates& candidates, const Candidates& later) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (is_done(candidates[i])) continue;
      Candidates left(candidates.begin() + std::ptrdiff_t(i), candidates.end());
      left.insert(left.end(), later.begin(), later.end());
      if (stop_.stop_requested() || !run_one(candidates[i], left)) return false;
    }
    return true;
  }

  SweepRun* find(const TransferSettings& settings) {
    const std::string recipe = recipe_text(settings);
    const auto same = [&](const SweepRun& run) { return recipe_text(run.settings) == recipe; };
    const auto found = std::ranges::find_if(result_.runs, same);
    return found == result_.runs.end() ? nullptr : &*found;
  }

  bool is_done(const TransferSettings& settings) {
    const SweepRun* const run = find(settings);
    return run != nullptr && (run->score || !run->failure.empty());
  }

  SweepRun& added(const TransferSettings& settings) {
    std::set<std::string> names;
    for (const SweepRun& run : result_.runs) names.insert(run.name);
    int number = 1;
    while (names.contains(format("run{:03}", number))) ++number;
    return result_.runs.emplace_back(SweepRun{format("run{:03}", number), settings});
  }

  // Work of the distinct trainings: examples seen times pixels.
  double work_of(const Candidates& runs, std::set<std::string>& trained) const {
    double work = 0;
    for (const TransferSettings& settings : runs) {
      const double side = settings.resolution > 0 ? settings.resolution : own_resolution_;
      // An epoch is the same for all runs, and a recipe counts either epochs or examples.
      const double seen = settings.examples > 0 ? settings.examples : settings.epochs;
      if (trained.insert(training_of(settings)).second) work += seen * side * side;
    }
    return work;
  }

  // ", 12:40 left", estimated from the finished runs.
  std::string time_left(const Candidates& left) const {
    Candidates finished;
    double seconds = 0;
    for (const SweepRun& run : result_.runs) {
      if (!run.score) continue;
      finished.push_back(run.settings);
      seconds += run.score->seconds;
    }
    if (finished.empty()) return {};
    std::set<std::string> trained;
    const double done = work_of(finished, trained);
    const double expected = work_of(left, trained) * seconds / done;
    return ", about " + position_text(std::chrono::nanoseconds(std::int64_t(1e9 * expected))) + " left";
  }

  // "run 3 of 12"
  std::string title_of(const Candidates& left) {
    std::set<std::string> open;
    for (const TransferSettings& settings : left) {
      if (!is_done(settings)) open.insert(recipe_text(settings));
    }
    std::size_t done = 0;
    for (const SweepRun& run : result_.runs) done += run.score || !run.failure.empty();
    return format("run {} of {}", done + 1, done + open.size());
  }

  // False when it was stopped.
  bool run_one(const TransferSettings& settings, const Candidates& left) {
    const std::string title = title_of(left);
    SweepRun* const begun = find(settings);
    SweepRun& run = begun ? *begun : added(settings);
    std::string values;
    for (const std::string& key : result_.keys) values += ", " + key + " " + value_of(settings, key);
    log_info("sweep: " + title + " (" + run.name + ")" + values + time_left(left));
    try {
      if (!finish(run, title)) return false;
    } catch (const SettingsError& error) {
      if (result_.runs.size() == 1) throw;
      run.failure = joined(error.problems(), "; ");
    } catch (const std::exception& error) {
      run.failure = error.what();
    }
    if (!run.failure.empty()) log_error("sweep: " + title + " (" + run.name + ") failed: " + run.failure);
    folder_.report(result_.runs, result_.keys);
    keep_weights_of(&run);
    return true;
  }

  bool finish(SweepRun& run, const std::string& title) {
    const RunFolder folder(folder_.run(run.name));
    const auto begun = steady_clock::now();
    if (!folder.has_checkpoint()) go_on_from_same_training(run, folder);
    if (!transfer(run.settings, folder, stop_, title, inputs_)) return false;
    run.score =
        score_of(folder, run.settings, std::chrono::duration<double>(steady_clock::now() - begun).count());
    return true;
  }

  // Runs that differ in beams alone share their training.
  void go_on_from_same_training(const SweepRun& run, const RunFolder& folder) const {
    for (const SweepRun& other : result_.runs) {
      const RunFolder trained(folder_.run(other.name));
      if (!other.score || !trained.has_checkpoint() ||
          training_of(other.settings) != training_of(run.settings))
        continue;
      folder.begin(run.settings);
      folder.take_checkpoint(trained);
      return;
    }
  }

  // Keeps the weights of the best run, and of the last one, from which the next may continue.
  void keep_weights_of(const SweepRun* last) const {
    const SweepRun* const best = best_of(result_.runs);
    for (const SweepRun& run : result_.runs) {
      if (run.score && &run != best && &run != last) RunFolder(folder_.run(run.name)).remove_weights();
    }
  }

  const SweepSettings& settings_;
  const SweepFolder& folder_;
  const std::stop_token& stop_;
  int own_resolution_;
  InputFiles inputs_;
  SweepResult result_;
};

}  // namespace

SweepResult sweep(const SweepSettings& settings, const SweepFolder& folder, const std::stop_token& stop) {
  return Sweep(settings, folder, stop).run();
}

}  // namespace palisade
