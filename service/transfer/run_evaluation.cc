#include "service/transfer/run_evaluation.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "model/train/adapter_folder.h"
#include "model/train/model_folder.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

struct RemovedAtEnd {
  fs::path folder;
  ~RemovedAtEnd() {
    std::error_code error;
    fs::remove_all(folder, error);
  }
};

void write_with_adapters(Parameters& parameters, const fs::path& source, const fs::path& target) {
  // Writing merges the adapters into the weights.
  const std::vector<float> kept(parameters.value_block().begin(), parameters.value_block().end());
  write_model_folder(parameters, source, target, target.filename().string());
  std::ranges::copy(kept, parameters.value_block().begin());
}

}  // namespace

void RunEvaluation::resume(const Parameters& parameters, int step) {
  history_ = ScoreHistory(parts_.run.metrics(), parts_.settings.metric);
  const std::optional<int> best = history_.best_step();
  if (!best || parts_.run.best_step() == best) return;
  if (*best != step)
    throw Error(parts_.run.path().string() +
                format(": holds no weights of step {}, whose evaluation is the best so far; bring them back, "
                       "or begin another run",
                       *best));
  parts_.run.keep_best(parameters, step);  // it was killed before it could
}

bool RunEvaluation::is_due(int step) const {
  const int every = parts_.settings.evaluate_every;
  return every > 0 && step > 0 && step % every == 0;
}

EvaluationExamples RunEvaluation::examples(std::span<const TransferRecord> records) const {
  return {records, parts_.loader, parts_.settings, parts_.vocabulary};
}

RunEvaluation::Losses RunEvaluation::losses(TrainingPass& pass) const {
  Losses losses;
  for (std::size_t part = 0; part < parts_.examples.parts.size(); ++part) {
    const auto records = parts_.examples.evaluation_of(part);
    if (records.empty()) continue;
    const EvaluationLoss one = evaluation_loss(pass, examples(records));
    const double share = double(records.size()) / double(parts_.examples.evaluation.size());
    losses.all.loss += share * one.loss;
    losses.all.exact += share * one.exact;
    losses.parts[parts_.examples.parts[part].name] = {
        {"evaluation_loss", one.loss}, {"evaluation_exact", one.exact}, {"examples", records.size()}};
  }
  return losses;
}

WrittenModel RunEvaluation::written_now(Parameters& parameters) const {
  const fs::path& model = parts_.settings.model;
  const fs::path target = parts_.run.evaluated();
  fs::remove_all(target);
  if (has_adapter(parameters)) {
    write_adapter_folder(parameters, model, target, parts_.run.name());
    return {model, target};
  }
  if (parts_.settings.lora_rank > 0)
    write_with_adapters(parameters, model, target);
  else
    write_model_folder(parameters, model, target, parts_.run.name());
  return {target, {}};
}

std::vector<std::string> RunEvaluation::answers(const WrittenModel& written, int beams,
                                                Progress& progress) const {
  const std::vector<TransferRecord>& records = parts_.examples.evaluation;
  const auto show = [&](double share) {
    progress.show(share,
                  format("{:.0f} of {} examples answered", share * double(records.size()), records.size()));
  };
  return answers_of(written, examples(records), {.beams = beams, .stop = parts_.stop, .progress = show});
}

bool RunEvaluation::evaluate(TrainingPass& pass, Parameters& parameters, int step, Progress& progress) {
  if (parts_.examples.evaluation.empty()) return false;
  // A finished run that is resumed is judged again, but its best step stays what it was.
  if (parts_.examples.metric && has(step)) return false;
  const auto [all, by_part] = losses(pass);
  Json line = {{"step", step}, {"evaluation_loss", all.loss}, {"evaluation_exact", all.exact}};
  if (parts_.examples.is_mixture()) line["parts"] = by_part;
  std::string told = format(": step {}: evaluation loss {:.4f}, {:.1f} % of {} answers exact", step, all.loss,
                            100 * all.exact, parts_.examples.evaluation.size());
  std::optional<double> score;
  if (const auto& metric = parts_.examples.metric) {
    const RemovedAtEnd evaluated{parts_.run.evaluated()};
    const auto said = answers(written_now(parameters), 1, progress);
    if (said.empty()) return false;
    const auto figures = metric->score(said);
    score = figures.score;
    line.update({{"metric", parts_.settings.metric}, {"evaluation_score", *score}, {"figures", figures.all}});
    told += format(", {} {:.4f}", metric->title(), *score);
  }
  const std::optional<double> best = history_.best_score();
  history_.add(step, score);
  parts_.run.append(line);
  progress.clear();
  log_info(parts_.what + told);
  if (parts_.examples.is_mixture()) {
    for (const auto& [name, one] : by_part.items())
      log_info(parts_.what + format(":   {}: loss {:.4f}, {:.1f} % of {} exact", name,
                                    one["evaluation_loss"].get<double>(),
                                    100 * one["evaluation_exact"].get<double>(), one["examples"].get<int>()));
  }
  return score && (!best || *score > *best);
}

bool RunEvaluation::is_exhausted() const {
  return parts_.settings.patience > 0 && history_.since_best() >= parts_.settings.patience;
}

void RunEvaluation::take_best(Parameters& parameters, int step) const {
  const std::optional<int> best = history_.best_step();
  if (!best || *best == step) return;
  parts_.run.take_best(parameters);
  log_info(parts_.what + format(": the model is that of step {}, the best by {} ({:.4f})", *best,
                                parts_.examples.metric->title(), *history_.best_score()));
}

void RunEvaluation::evaluate_by_beams(int step, Progress& progress) const {
  const int beams = parts_.settings.beams;
  const bool merged = fs::exists(parts_.run.model());
  const WrittenModel written{merged ? parts_.run.model() : parts_.settings.model,
                             merged ? fs::path() : parts_.run.adapter()};
  const auto said = answers(written, beams, progress);
  if (said.empty()) return;
  double exact = 0;
  for (std::size_t i = 0; i < said.size(); ++i) exact += said[i] == parts_.examples.evaluation[i].suffix;
  const double share = exact / double(said.size());
  Json line = {{"step", step}, {"beams", beams}, {"evaluation_exact_by_beams", share}};
  std::string told = format(": with {} beams {:.1f} % of {} answers exact", beams, 100 * share, said.size());
  if (const auto& metric = parts_.examples.metric) {
    const auto figures = metric->score(said);
    line.update({{"metric", parts_.settings.metric},
                 {"evaluation_score_by_beams", figures.score},
                 {"figures", figures.all}});
    told += format(", {} {:.4f}", metric->title(), figures.score);
  }
  parts_.run.append(line);
  progress.clear();
  log_info(parts_.what + told);
}

}  // namespace palisade
