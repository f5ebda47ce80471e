// `palisade calibrate-answers`: how often answers of a probability are right, measured and made into curves.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/whole_file.h"
#include "service/asking/batch.h"
#include "service/asking/picks.h"
#include "service/commands/command.h"
#include "service/commands/model_flags.h"
#include "service/evaluation/reliability_picture.h"
#include "service/journal/event_query.h"
#include "service/journal/event_upkeep.h"
#include "service/terminal/interrupt.h"
#include "service/terminal/output.h"
#include "service/terminal/progress.h"
#include "service/transfer/transfer_lines.h"
#include "tasks/certainty/curve_fit.h"
#include "tasks/prompt.h"
#include "tasks/repeats.h"

namespace palisade {
namespace {

constexpr std::size_t kLeastForPrompt = 200;  // answers, for a curve of one prompt's own
constexpr std::size_t kLeastForTask = 50;
constexpr int kFramesOfVideo = 16;
constexpr std::size_t kShownOfHash = 12;

struct CalibrateAnswersOptions {
  std::vector<std::string> data;
  std::string state;
  ModelFlags model;
  std::string adapter, to, svg;
};

// Answers that may share a curve. An empty prompt: of the whole task; an empty adapter: of the model alone.
struct AnswerKind {
  std::string adapter;  // its SHA-256
  std::string task;
  std::string prompt;
  auto operator<=>(const AnswerKind&) const = default;
};

// What was answered, and what would have been right.
class AnswerCollection {
 public:
  // False where the answer has no choices, or none of them is right.
  bool add(const AnswerKind& kind, const std::vector<std::pair<std::string, double>>& choices,
           const std::string& right) {
    JudgedAnswer answer;
    bool known = false;
    for (std::size_t i = 0; i < choices.size(); ++i) {
      answer.choices.push_back(choices[i].second);
      if (words_alone(choices[i].first) != words_alone(right)) continue;
      known = true;
      answer.right = i;
    }
    if (!known || choices.size() < 2) return false;
    by_task_[{kind.adapter, kind.task, ""}].push_back(answer);
    by_prompt_[kind].push_back(std::move(answer));
    return true;
  }
  const auto& by_task() const { return by_task_; }
  const auto& by_prompt() const { return by_prompt_; }

 private:
  std::map<AnswerKind, std::vector<JudgedAnswer>> by_task_, by_prompt_;
};

std::vector<TransferLine> lines_of(const std::vector<std::string>& files) {
  std::vector<TransferLine> lines;
  for (const std::string& file : files) {
    LineProblems problems;
    std::ranges::move(read_transfer_lines(file, problems), std::back_inserter(lines));
    require_none(problems);
  }
  return lines;
}

std::optional<Clip> clip_of(const TransferLine& line, const EngineModel& model, const std::stop_token& stop) {
  if (!line.video.empty())
    return clip_of_video({.url = line.video.string()}, kFramesOfVideo, std::nullopt, model, stop);
  std::vector<std::string> paths;
  for (const auto& picture : line.pictures) paths.push_back(picture.string());
  return clip_of_pictures(paths, model);
}

// A pair is asked with the words of a question.
std::string task_of(const std::string& prompt, std::size_t frames) {
  const std::string task(task_of_prompt(prompt));
  return task == "question" && frames == 2 ? "pair" : task;
}

// False where it was stopped. Examples that are no question of choices are left out and counted.
bool ask_all(const std::vector<TransferLine>& lines, EngineModel& model, const SharedAdapter& adapter,
             AnswerCollection& answers, const std::stop_token& stop) {
  const std::string adapter_sha256 = adapter ? adapter->identity.sha256 : "";
  Progress progress("asking");
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const TransferLine& line = lines[i];
    progress.show(double(i) / double(lines.size()), format("{} of {} examples", i, lines.size()));
    auto clip = clip_of(line, model, stop);
    if (!clip) return false;
    const std::string task = task_of(line.prefix, clip->frames.size());
    Request request{
        .clip = *std::move(clip), .prompts = {line.prefix}, .max_new_tokens = 1, .adapter = adapter};
    const auto reply = ask_once(model, request, stop);
    if (!reply) return false;
    const AnswerRecord record = record_of_answer(task, request, *reply, model, {.pictures = true});
    std::vector<std::pair<std::string, double>> choices;
    for (const AnswerChoice& choice : record.answer.choices) choices.emplace_back(choice.text, choice.p);
    left_out += !answers.add({adapter_sha256, task, line.prefix}, choices, line.suffix);
  }
  progress.clear();
  if (left_out > 0)
    log_info(format("{} of {} examples are no questions of choices, or none of the choices is right",
                    left_out, lines.size()));
  return true;
}

// Of two choices that were answered wrongly the other one is right.
std::string right_answer(const Judgement& verdict,
                         const std::vector<std::pair<std::string, double>>& choices) {
  if (!verdict.right && !verdict.text.empty()) return verdict.text;
  const auto most = std::ranges::max_element(choices, {}, &std::pair<std::string, double>::second);
  if (verdict.right) return most->first;
  return choices.size() == 2 ? choices[most == choices.begin() ? 1 : 0].first : "";
}

void add_verdicts(const std::string& state, const ModelIdentity& model, AnswerCollection& answers) {
  EventQuery query(state);
  std::size_t others = 0;
  for (const std::string& id : judged_events(state)) {
    const StoredEvent event = query.event(id);
    const Json data = parse_json(event.body, event.topic).at("data");
    const auto verdict = judgement_of(state, id);
    std::vector<std::pair<std::string, double>> choices;
    for (const Json& choice : data.value("choices", Json::array()))
      choices.emplace_back(choice.at("text").get<std::string>(), choice.at("p").get<double>());
    const Json& its = data.at("model");
    const bool same = its.contains("sha256") && !model.sha256.empty() ? its["sha256"] == model.sha256
                                                                      : its.at("id") == model.id;
    if (choices.size() < 2 || !verdict || !same) {
      ++others;
      continue;
    }
    const AnswerKind kind{.adapter = data.contains("adapter") ? data.at("adapter").value("sha256", "") : "",
                          .task = data.at("task").get<std::string>(),
                          .prompt = data.at("prompt").get<std::string>()};
    others += !answers.add(kind, choices, right_answer(*verdict, choices));
  }
  if (others > 0) log_info(format("{} verdicts are of another model, or of no question of choices", others));
}

std::string error_text(const std::vector<JudgedChoice>& choices) {
  const ErrorInterval interval = calibration_error_interval(choices);
  return format("{:.4f} [{:.4f}, {:.4f}]", calibration_error(choices), interval.low, interval.high);
}

std::string_view name_of(CurveShape shape) {
  return shape == CurveShape::kIsotonic      ? "curve"
         : shape == CurveShape::kTemperature ? "temperature"
                                             : "as it is";
}

// Curves of all tasks and prompts with enough answers; prints a line of each.
class CurveMaker {
 public:
  void add(const AnswerKind& kind, const std::vector<JudgedAnswer>& answers) {
    FitTrial trial = try_fits(answers);
    CertaintyCurve curve = fitted_curve(answers, trial.shape);
    curve.task = kind.task;
    curve.prompt = kind.prompt;
    curve.adapter = kind.adapter;
    curve.examples = int(answers.size());
    const std::string name =
        (kind.prompt.empty() ? kind.task : kind.prompt) +
        (kind.adapter.empty() ? "" : format(", adapter {}", kind.adapter.substr(0, kShownOfHash)));
    print_line(format("{:>6} {:<12} error before {}, after {}  {}", answers.size(), name_of(trial.shape),
                      error_text(trial.before), error_text(trial.after), name));
    curves_.push_back(std::move(curve));
    stories_.push_back({name, std::move(trial.before), std::move(trial.after)});
  }
  std::vector<CertaintyCurve> curves() const { return curves_; }
  const std::vector<ReliabilityStory>& stories() const { return stories_; }

 private:
  std::vector<CertaintyCurve> curves_;
  std::vector<ReliabilityStory> stories_;
};

CurveMaker made_of(const AnswerCollection& answers) {
  CurveMaker maker;
  for (const auto& [kind, judged] : answers.by_task()) {
    if (judged.size() >= kLeastForTask) maker.add(kind, judged);
  }
  for (const auto& [kind, judged] : answers.by_prompt()) {
    if (judged.size() >= kLeastForPrompt) maker.add(kind, judged);
  }
  if (maker.curves().empty())
    throw Error(format("too few answers for a curve: a task needs {}, a prompt's own {}", kLeastForTask,
                       kLeastForPrompt));
  return maker;
}

// A file may hold the curves of a model and of several adapters: those of adapters that were not measured now
// stay in it.
std::vector<CertaintyCurve> kept_curves(const std::string& file, const CertaintyCurves& made) {
  std::vector<CertaintyCurve> kept;
  if (!std::filesystem::exists(file)) return kept;
  const CertaintyCurves former = certainty_curves_of(read_json(file), file);
  if (former.model != made.model || former.model_sha256 != made.model_sha256 ||
      former.precision != made.precision)
    return kept;
  for (const CertaintyCurve& curve : former.curves) {
    if (std::ranges::find(made.curves, curve.adapter, &CertaintyCurve::adapter) == made.curves.end())
      kept.push_back(curve);
  }
  return kept;
}

int calibrate_answers(const CalibrateAnswersOptions& options) {
  if (options.data.empty() && options.state.empty())
    throw UsageError("nothing to learn from: give --data FILE.jsonl, or --state DIR with verdicts");
  const std::vector<TransferLine> lines = lines_of(options.data);
  const Interrupt interrupt;
  const auto model = load_model(options.model);
  const SharedAdapter adapter = load_adapter(*model, options.adapter);
  AnswerCollection answers;
  if (!ask_all(lines, *model, adapter, answers, interrupt.token())) return kFailed;
  if (!options.state.empty()) add_verdicts(options.state, model->identity(), answers);
  const CurveMaker maker = made_of(answers);
  const ModelIdentity identity = model->identity();
  CertaintyCurves curves{.model = identity.id,
                         .model_sha256 = identity.sha256,
                         .precision = identity.precision,
                         .curves = maker.curves()};
  const std::vector<CertaintyCurve> kept = kept_curves(options.to, curves);
  if (!kept.empty())
    log_info(
        format("{} curves of the model with other adapters, or alone, stay in {}", kept.size(), options.to));
  std::ranges::copy(kept, std::back_inserter(curves.curves));
  write_whole_file(options.to, to_json(curves).dump(1) + "\n");
  if (!options.svg.empty()) write_whole_file(options.svg, reliability_svg(maker.stories()));
  log_info(format("{} curves in {}; use them with `certainty: {}` or --certainty", curves.curves.size(),
                  options.to, options.to));
  return kDone;
}

}  // namespace

void add_calibrate_answers(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand(
      "calibrate-answers", "Measure how often answers are right at a probability, and make curves of it");
  const auto options = std::make_shared<CalibrateAnswersOptions>();
  command
      ->add_option("--data", options->data, "Examples as for `palisade transfer`, not those it learned from")
      ->type_name("FILE.jsonl");
  command->add_option("--state", options->state, "State folder whose verdicts are examples too")
      ->type_name("DIR");
  command->add_option("--to", options->to, "File to write")->type_name("FILE.json")->required();
  command->add_option("--svg", options->svg, "Write the reliability diagrams as a picture")
      ->type_name("FILE.svg");
  add_model_flags(*command, options->model);
  add_adapter_flag(*command, options->adapter);
  command->callback([&run, options] { run = [options] { return calibrate_answers(*options); }; });
  command->footer(
      "\nThe calibration error is the mean distance between probability and share of right answers, with "
      "the\n"
      "interval in which 95 of 100 such measurements lie. Afterwards is measured on answers that the curve "
      "was\n"
      "not made of. A curve is only used where it is better than none. Answers with an adapter have curves "
      "of\n"
      "their own, which --adapter adds to the file.\n"
      "\nExamples:\n"
      "  palisade calibrate-answers --data validation.jsonl --to curves.json --svg curves.svg\n"
      "  palisade calibrate-answers --state ~/.local/state/palisade/node-1 --to curves.json");
}

}  // namespace palisade
