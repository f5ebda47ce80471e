#include "service/transfer/transfer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/folder_lock.h"
#include "base/format.h"
#include "base/input_file.h"
#include "base/log.h"
#include "base/random.h"
#include "model/train/adapter_folder.h"
#include "model/train/model_folder.h"
#include "model/train/resolution.h"
#include "model/train/schedule.h"
#include "model/weights/weights_hash.h"
#include "service/terminal/progress.h"
#include "service/transfer/evaluation.h"
#include "service/transfer/pass_reader.h"
#include "service/transfer/resumed_settings.h"
#include "tasks/prompt.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

Preprocessor preprocessor_of(const TransferSettings& settings, const ModelConfig& stored,
                             const ModelConfig& config) {
  Preprocessor preprocessor = read_preprocessor(settings.model, stored.vision.image_size);
  preprocessor.image_size = config.vision.image_size;
  if (!settings.resize.empty()) preprocessor.resize = *resize_preset_of(settings.resize);
  return preprocessor;
}

int total_steps_of(const TransferSettings& settings, std::size_t records) {
  const double examples = settings.examples > 0 ? settings.examples : settings.epochs * double(records);
  return std::max(1, int(std::lround(examples / settings.batch_size)));
}

// Hash of the examples, the removed ones, and the initial weights.
std::string hash_of(const TransferSettings& settings, const std::vector<RemovedLine>& removed,
                    const Checkpoint& checkpoint) {
  Sha256 hash;
  InputFile data(settings.data);
  std::string text(1u << 16, '\0');
  while (const std::size_t size = data.read(text)) hash.add(std::as_bytes(std::span(text).first(size)));
  std::string numbers;
  for (const RemovedLine& line : removed) numbers += format("{}\n", line.line);
  hash.add(std::as_bytes(std::span(numbers)));
  for (const auto& file : checkpoint.files()) add_file(hash, *file);
  return hash.hex();
}

// A transfer in progress.
class Transfer {
 public:
  Transfer(const RunFolder& run, const TransferSettings& settings, const std::stop_token& stop,
           const std::string& what, InputFiles& inputs)
      : run_(run),
        lock_(run.exists() ? std::make_unique<FolderLock>(run.path()) : nullptr),
        settings_(settings),
        stop_(stop),
        what_(what),
        inputs_(inputs),
        known_inputs_(run.has_checkpoint() ? run.inputs() : FileHashes()),
        stored_(read_model_config(settings.model)),
        config_(settings.resolution > 0 ? at_resolution(stored_, settings.resolution) : stored_),
        preprocessor_(preprocessor_of(settings, stored_, config_)),
        tokenizer_(settings.model),
        records_(read(settings.data, settings.filters)),
        checkpoint_(settings.model),
        origin_{hash_of(settings, removed_, checkpoint_), steps_recipe(settings)},
        parameters_(config_, checkpoint_,
                    {.parts = settings.trained_parts(),
                     .lora_rank = settings.lora_rank,
                     .stored_image_size = stored_.vision.image_size}),
        pass_(parameters_),
        optimizer_(parameters_,
                   {.learning_rate = settings.learning_rate, .weight_decay = settings.weight_decay}),
        loader_(preprocessor_, settings_, inputs.kept()),
        order_(records_.size(), split_mix(std::uint64_t(settings.seed))),
        total_steps_(total_steps_of(settings, records_.size())),
        schedule_{total_steps_, warmup_steps_of(settings.warmup, total_steps_)},
        image_schedule_{total_steps_,
                        warmup_steps_of(std::max(settings.warmup, settings.image_warmup), total_steps_)},
        reader_(loader_) {
    if (!settings.evaluation.empty()) evaluation_ = read(settings.evaluation, {});
    if (run.has_checkpoint()) {
      require_same_inputs();
      part_ = run.resume(parameters_, optimizer_, origin_);
    } else {
      begin();
    }
    run.tell_inputs(seen_inputs_);
    saved_ = steady_clock::now();
  }

  bool run() {
    Progress progress(what_);
    begun_ = steady_clock::now();
    first_step_ = optimizer_.steps();
    log_info(what_ + format(": {} examples, {} steps of {}, from step {}", records_.size(), total_steps_,
                            settings_.batch_size, first_step_));
    ahead_ = {optimizer_.steps(), part_.passes};
    while (optimizer_.steps() < total_steps_ && !stop_.stop_requested() && step(progress)) {
      const int done = optimizer_.steps();
      if (done == total_steps_) break;
      const bool asked = settings_.checkpoint_every > 0 && done % settings_.checkpoint_every == 0;
      if (asked || checkpoint_is_due()) save();
      if (settings_.evaluate_every > 0 && done % settings_.evaluate_every == 0) evaluate(progress);
    }
    progress.clear();
    save();
    if (optimizer_.steps() < total_steps_) return false;
    evaluate(progress);
    write_results();
    if (settings_.beams > 1 && !evaluation_.empty()) evaluate_by_beams(progress);
    run_.draw_curves();
    return true;
  }

 private:
  // Warns of prefixes that `ask` would turn into a question but that are learnt as they stand.
  void tell_other_prefixes(const std::vector<TransferLine>& lines) const {
    const auto other = [](const TransferLine& line) { return task_of_prompt(line.prefix) == kOtherPrompt; };
    const auto first = std::ranges::find_if(lines, other);
    if (first == lines.end()) return;
    log_warning(
        what_ + ": " + first->place() +
        format(": its prefix and {} others", std::ranges::count_if(lines, other) - 1) +
        " begin with no word of PaliGemma's prompts: they are learnt as they stand, but palisade asks "
        "such words as \"answer en ...\"; begin them with that, or with caption, describe, ocr, "
        "detect or segment");
  }

  // Reads the examples of a file; removed ones go to removed_.
  std::vector<TransferRecord> read(const fs::path& file, const fs::path& filters) {
    LineProblems problems;
    inputs_.kept().begin(preprocessor_, std::size_t(settings_.picture_memory_mb) << 20);
    std::vector<TransferLine> lines = read_transfer_lines(file, problems);
    if (!filters.empty() && problems.empty()) {
      FilteredLines left = filtered(std::move(lines), filters);
      log_info(what_ + ": " + summary_of(left));
      lines = std::move(left.kept);
      removed_ = std::move(left.removed);
    }
    auto records = transfer_records(lines, settings_, config_, tokenizer_, problems);
    seen_inputs_.merge(inputs_.read(lines, known_inputs_, problems, what_, stop_));
    require_none(problems);
    tell_other_prefixes(lines);
    return records;
  }

  void begin() {
    if (!lock_) {
      run_.make();
      lock_ = std::make_unique<FolderLock>(run_.path());
      // Another process may have begun it meanwhile.
      if (run_.was_begun())
        throw UsageError(run_.path().string() + ": another process has just begun a run there");
    }
    run_.begin(settings_);
    if (!settings_.filters.empty()) run_.tell_removed(removed_);
  }

  // A resumed run needs the pictures with which it began.
  void require_same_inputs() const {
    std::vector<std::string> changed;
    for (const auto& [file, hash] : seen_inputs_) {
      const auto known = known_inputs_.find(file);
      if (known != known_inputs_.end() && known->second != hash) changed.push_back(file.string());
    }
    if (changed.empty()) return;
    const std::string first = changed.front();
    throw Error(first + ": has changed since the run was begun" +
                (changed.size() > 1 ? format(", and so have {} others", changed.size() - 1) : "") + " (" +
                run_.path().string() + "/inputs.sha256); bring them back, or begin another run");
  }

  // Due where another pass may take longer than the time left.
  bool checkpoint_is_due() const {
    const std::chrono::duration<double, std::ratio<60>> most(settings_.checkpoint_minutes);
    return most.count() > 0 && steady_clock::now() - saved_ + pass_time_ >= most;
  }

  int passes() const {
    return (settings_.batch_size + settings_.examples_at_once - 1) / settings_.examples_at_once;
  }

  PassRecords pass_of(int step, int pass) {
    PassRecords chosen;
    const int first = pass * settings_.examples_at_once;
    const int count = std::min(settings_.examples_at_once, settings_.batch_size - first);
    for (int i = 0; i < count; ++i) {
      const auto place = std::uint64_t(step) * std::uint64_t(settings_.batch_size) + std::uint64_t(first + i);
      chosen.records.push_back(&records_[order_.at(place)]);
    }
    chosen.seed = split_mix(split_mix(std::uint64_t(settings_.seed) ^ 0x5eed) + std::uint64_t(step) * 65536 +
                            std::uint64_t(pass));
    return chosen;
  }

  // Has the pictures of the passes to come read while the current one is computed.
  void read_ahead() {
    while (ahead_.step < total_steps_ && reader_.has_room()) {
      reader_.add(pass_of(ahead_.step, ahead_.pass));
      if (++ahead_.pass == passes()) ahead_ = {ahead_.step + 1, 0};
    }
  }

  LossOptions loss_options() const {
    return {.label_smoothing = float(settings_.label_smoothing), .vocabulary = config_.image_token};
  }

  // False where it was stopped within the step.
  bool step(Progress& progress) {
    const int step = optimizer_.steps();
    while (part_.passes < passes()) {
      const int pass = part_.passes;
      const auto begun = steady_clock::now();
      read_ahead();
      const auto [chosen, batch] = reader_.next();
      read_ahead();
      const bool last = pass + 1 == passes();
      const auto losses =
          pass_.accumulate(batch, {.loss = loss_options(),
                                   .dropout = {.rate = float(settings_.llm_dropout), .seed = *chosen.seed},
                                   .examples = double(settings_.batch_size)});
      for (std::size_t i = 0; i < losses.size(); ++i) {
        if (!std::isfinite(losses[i].loss)) fail_at(step, "the loss of " + chosen.records[i]->place);
        part_.loss += losses[i].loss / settings_.batch_size;
      }
      ++part_.passes;
      pass_time_ = steady_clock::now() - begun;
      if (last) break;
      if (stop_.stop_requested()) return false;
      if (checkpoint_is_due()) save();
    }
    const double loss = std::exchange(part_, {}).loss;
    const double factor = schedule_.factor(step);
    const double norm = optimizer_.step({image_schedule_.factor(step), factor});
    if (!std::isfinite(norm)) fail_at(step, "the gradient's norm");
    const double seconds = std::chrono::duration<double>(steady_clock::now() - begun_).count();
    const double rate = (step + 1 - first_step_) * double(settings_.batch_size) / seconds;
    run_.append({{"step", step + 1},
                 {"loss", loss},
                 {"learning_rate", factor * settings_.learning_rate},
                 {"gradient_norm", norm},
                 {"examples_per_second", rate}});
    const auto left = std::chrono::duration_cast<MediaTime>(
        std::chrono::duration<double>((total_steps_ - step - 1) * double(settings_.batch_size) / rate));
    progress.show(double(step + 1) / total_steps_, format("step {} of {}, loss {:.4f}, {:.1f} examples/s, ",
                                                          step + 1, total_steps_, loss, rate) +
                                                       position_text(left) + " left");
    return true;
  }

  [[noreturn]] void fail_at(int step, const std::string& what) {
    throw Error(
        format("step {}: {} is no finite number; the last checkpoint is as it was. Try a lower learning_rate",
               step + 1, what));
  }

  EvaluationExamples evaluation() { return {evaluation_, loader_, settings_, config_.image_token}; }

  void evaluate(Progress& progress) {
    if (evaluation_.empty()) return;
    const auto [loss, exact] = evaluation_loss(pass_, evaluation());
    run_.append({{"step", optimizer_.steps()}, {"evaluation_loss", loss}, {"evaluation_exact", exact}});
    progress.clear();
    log_info(what_ + format(": step {}: evaluation loss {:.4f}, {:.1f} % of {} answers exact",
                            optimizer_.steps(), loss, 100 * exact, evaluation_.size()));
  }

  void evaluate_by_beams(Progress& progress) {
    const double share = exact_by_beams(run_, evaluation());
    run_.append(
        {{"step", optimizer_.steps()}, {"beams", settings_.beams}, {"evaluation_exact_by_beams", share}});
    progress.clear();
    log_info(what_ + format(": with {} beams {:.1f} % of {} answers exact", settings_.beams, 100 * share,
                            evaluation_.size()));
  }

  // The adapter first, because writing the model merges it.
  void write_results() {
    const LoraOutput output = settings_.lora_output;
    const bool adapter = settings_.lora_rank > 0 && output != LoraOutput::kModel;
    if (adapter && has_adapter(parameters_)) {
      if (!fs::exists(run_.adapter()))
        write_adapter_folder(parameters_, settings_.model, run_.adapter(), run_.name());
    } else if (adapter) {
      log_info(what_ + ": no adapter is written: " +
               (parameters_.resampled() ? "the model has become one of another picture size"
                                        : "nothing but the projection was trained"));
    }
    const bool model = !adapter || output != LoraOutput::kAdapter || !has_adapter(parameters_);
    if (model && !fs::exists(run_.model()))
      write_model_folder(parameters_, settings_.model, run_.model(), run_.name());
  }

  void save() {
    const auto begun = steady_clock::now();
    run_.save(parameters_, optimizer_, origin_, part_);
    run_.draw_curves();
    saved_ = begun;
  }

  const RunFolder& run_;
  std::unique_ptr<FolderLock> lock_;
  const TransferSettings& settings_;
  const std::stop_token& stop_;
  const std::string& what_;
  InputFiles& inputs_;
  FileHashes known_inputs_;  // when the run began
  FileHashes seen_inputs_;   // now
  ModelConfig stored_;
  ModelConfig config_;
  Preprocessor preprocessor_;
  Tokenizer tokenizer_;
  std::vector<RemovedLine> removed_;
  std::vector<TransferRecord> records_;
  std::vector<TransferRecord> evaluation_;
  Checkpoint checkpoint_;
  RunFolder::Origin origin_;
  Parameters parameters_;
  TrainingPass pass_;
  Optimizer optimizer_;
  PictureLoader loader_;
  ExampleOrder order_;
  int total_steps_;
  Schedule schedule_;
  Schedule image_schedule_;
  RunFolder::StepPart part_;  // of the current step
  steady_clock::time_point saved_;
  steady_clock::duration pass_time_{0};
  steady_clock::time_point begun_;
  int first_step_ = 0;
  struct {
    int step = 0, pass = 0;
  } ahead_;            // the next pass to be read
  PassReader reader_;  // last: its threads use all of the above
};

}  // namespace

bool transfer(const TransferSettings& settings, const RunFolder& run, const std::stop_token& stop,
              const std::string& what, InputFiles& inputs) {
  check(settings);
  return Transfer(run, settings, stop, what, inputs).run();
}

}  // namespace palisade
