#include "service/evaluation/evaluation.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "model/weights/identity.h"
#include "service/evaluation/evaluation_asking.h"
#include "service/settings/settings.h"
#include "service/terminal/progress.h"
#include "service/transfer/input_files.h"

namespace palisade {
namespace {

using std::chrono::steady_clock;

// Image tokens of all pictures that are kept for lines to come, so that their features fit any memory.
constexpr int kKeptTokens = 8192;

double seconds_from(steady_clock::time_point begun) {
  return std::chrono::duration<double>(steady_clock::now() - begun).count();
}

// "512 of 1000, acc 0.8430 so far, 53.1 a second, 00:09 left"
std::string progress_of(EvaluationScorer& scorer, std::size_t lines, std::size_t asked, double seconds) {
  std::string text = format("{} of {}", scorer.size(), lines);
  if (const auto score = scorer.score_so_far())
    text += format(", {} {:.4f} so far", scorer.first_metric().main_figure, *score);
  if (asked == 0 || seconds <= 0) return text;
  const double rate = double(asked) / seconds;
  const auto left = std::chrono::duration_cast<MediaTime>(
      std::chrono::duration<double>(double(lines - scorer.size()) / rate));
  return text + format(", {:.1f} a second, {} left", rate, position_text(left));
}

EvaluationOrigin origin_of(const EvaluationSettings& settings) {
  const std::string adapter =
      settings.adapter.empty()
          ? ""
          : " with " + std::filesystem::weakly_canonical(settings.adapter).filename().string();
  return {.settings = settings,
          .model = identify(settings.model, {}).id + adapter,
          .weights = weights_mark(settings.model) + (settings.adapter.empty() ? "" : "; ") +
                     weights_mark(settings.adapter)};
}

EvaluationAsking asking_of(const EvaluationSettings& settings, const EngineModel& model,
                           const SharedAdapter& adapter, int batch) {
  EvaluationAsking asking{
      .view = {.side = model.image_size(),
               .resize = model.identity().resize,
               .frames = settings.frames,
               .frame_step = settings.frame_step,
               .kept = std::size_t(std::clamp(kKeptTokens / model.image_tokens(), 2, 32))},
      .adapter = adapter,
      .max_new_tokens = settings.max_new_tokens,
      .batch = batch};
  if (settings.beams > 1) asking.method = BeamSearch{.beams = settings.beams, .rules = BeamRules::kBigVision};
  return asking;
}

}  // namespace

Evaluation::Evaluation(const EvaluationFolder& folder, const EvaluationSettings& settings)
    : folder_(folder), origin_(origin_of(settings)), scorer_(settings) {
  const EvaluationData data = look();
  origin_.lines = data.lines;
  origin_.data_sha256 = data.sha256;
  folder_.begin(origin_);
  lock_ = std::make_unique<FolderLock>(folder_.path());
}

Evaluation::Evaluation(const EvaluationFolder& folder)
    : folder_(folder),
      origin_(folder.origin()),
      scorer_(origin_.settings),
      lock_(std::make_unique<FolderLock>(folder.path())) {
  const EvaluationData data = look();
  if (data.sha256 != origin_.data_sha256)
    throw Error(
        settings().data.string() +
        ": has changed since the evaluation was begun; bring it back, or begin another one with --run");
  if (origin_of(settings()).weights != origin_.weights)
    throw Error(settings().model.string() +
                ": its weights have changed since the evaluation was begun; begin another one with --run");
}

EvaluationData Evaluation::look() {
  const EvaluationData data = look_through(
      settings().data, [this](const EvaluationLine& line) { scorer_.look(line); },
      [this](const Json& line) { scorer_.look_at_categories(line); });
  try {
    scorer_.require_names();
  } catch (const Error& problem) {
    throw SettingsError({settings().data.string() + ": " + problem.what()});
  }
  return data;
}

// The answers that are there already.
void Evaluation::take_answers(EvaluationLineReader& lines) {
  if (folder_.mend_predictions() == 0) return;
  EvaluationLine line;
  folder_.for_each_prediction([&](const Json& json, const std::string& place) {
    const EvaluationAnswer answer = evaluation_answer_of(json, place);
    if (!lines.next(line) || line.id != answer.id)
      throw Error(place + ": is no answer to the data's line there; begin another evaluation with --run");
    scorer_.add(line, answer);
  });
}

std::optional<EvaluationReport> Evaluation::run(EngineModel& model, const SharedAdapter& adapter, int batch,
                                                const std::stop_token& stop) {
  LineProblems problems;
  EvaluationLineReader lines(settings().data, problems);
  take_answers(lines);
  if (scorer_.size() > 0)
    log_info(format("evaluate: {} of {} answers are there", scorer_.size(), origin_.lines));
  {
    Progress progress("evaluate");
    const auto begun = steady_clock::now();
    double written = 0;
    std::size_t asked = 0;
    const bool done = ask_examples(
        lines, model, asking_of(settings(), model, adapter, batch),
        [&](const EvaluationLine& line, const EvaluationAnswer& answer) {
          Json json = to_json(answer, line);
          const double now = seconds_from(begun);
          json["seconds"] = now - std::exchange(written, now);
          folder_.append(json);
          scorer_.add(line, answer);
          ++asked;
          if (!answer.error.empty()) {
            progress.clear();
            log_warning(line.place() + ": " + answer.error);
          }
          progress.show(double(scorer_.size()) / double(origin_.lines),
                        progress_of(scorer_, origin_.lines, asked, now));
        },
        stop);
    if (!done) return std::nullopt;
  }
  require_none(problems);
  EvaluationReport report = make_report(folder_, origin_, scorer_.finish());
  report.model = model.identity();
  if (adapter) report.adapter = adapter->identity.id;
  report.published = published_transfer(settings().task);
  write_reports(folder_, report);
  return report;
}

}  // namespace palisade
