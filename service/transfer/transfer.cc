#include "service/transfer/transfer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/folder_lock.h"
#include "base/format.h"
#include "base/log.h"
#include "base/random.h"
#include "model/train/adapter_folder.h"
#include "model/train/model_folder.h"
#include "model/train/resolution.h"
#include "model/train/schedule.h"
#include "service/terminal/progress.h"
#include "service/transfer/pass_reader.h"
#include "service/transfer/resumed_settings.h"
#include "service/transfer/run_evaluation.h"
#include "service/transfer/training_examples.h"

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

Schedule schedule_of(const TransferSettings& settings, double warmup, int total_steps) {
  Schedule schedule{total_steps, warmup_steps_of(warmup, total_steps)};
  if (settings.schedule == RateCourse::kInverseRoot) {
    schedule.timescale = settings.timescale;
    schedule.shift = settings.schedule_shift;
  }
  return schedule;
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
        known_inputs_(run.has_checkpoint() ? run.inputs() : FileHashes()),
        stored_(read_model_config(settings.model)),
        config_(settings.resolution > 0 ? at_resolution(stored_, settings.resolution) : stored_),
        preprocessor_(preprocessor_of(settings, stored_, config_)),
        tokenizer_(settings.model),
        examples_(read_training_examples(
            {settings, config_, preprocessor_, tokenizer_, inputs, known_inputs_, what, stop})),
        checkpoint_(settings.model),
        origin_{examples_.hash(checkpoint_), steps_recipe(settings)},
        parameters_(config_, checkpoint_,
                    {.parts = settings.trained_parts(),
                     .lora_rank = settings.lora_rank,
                     .stored_image_size = stored_.vision.image_size}),
        pass_(parameters_),
        optimizer_(parameters_,
                   {.learning_rate = settings.learning_rate, .weight_decay = settings.weight_decay}),
        loader_(preprocessor_, settings_, inputs.kept()),
        evaluation_({run, settings, what, stop, examples_, loader_, config_.image_token}),
        order_(examples_.order(split_mix(std::uint64_t(settings.seed)))),
        total_steps_(total_steps_of(settings, examples_.learnt.size())),
        schedule_(schedule_of(settings, settings.warmup, total_steps_)),
        image_schedule_(
            schedule_of(settings, std::max(settings.warmup, settings.image_warmup), total_steps_)),
        reader_(loader_) {
    if (run.has_checkpoint()) {
      require_same_inputs();
      part_ = run.resume(parameters_, optimizer_, origin_);
      evaluation_.resume(parameters_, optimizer_.steps());
    } else {
      begin();
    }
    run.tell_inputs(examples_.inputs);
    saved_ = steady_clock::now();
  }

  bool run() {
    Progress progress(what_);
    begun_ = steady_clock::now();
    first_step_ = optimizer_.steps();
    log_info(what_ + format(": {} examples, {} steps of {}, from step {}", examples_.learnt.size(),
                            total_steps_, settings_.batch_size, first_step_));
    if (loader_.keeps_states() && settings_.picture_memory_mb > 0) tell_kept_states();
    ahead_ = {optimizer_.steps(), part_.passes};
    // A run may have been killed between a step and its evaluation.
    if (evaluation_.is_due(optimizer_.steps()) && !evaluation_.has(optimizer_.steps())) evaluate(progress);
    while (optimizer_.steps() < total_steps_ && !evaluation_.is_exhausted() && !stop_.stop_requested() &&
           step(progress)) {
      const int done = optimizer_.steps();
      if (done == total_steps_) break;
      const bool asked = settings_.checkpoint_every > 0 && done % settings_.checkpoint_every == 0;
      if (asked || checkpoint_is_due()) save();
      if (evaluation_.is_due(done)) evaluate(progress);
    }
    progress.clear();
    save();
    if (optimizer_.steps() < total_steps_) {
      if (!evaluation_.is_exhausted()) return false;
      log_info(what_ + format(": ends after step {}: {} evaluations were no better than the best",
                              optimizer_.steps(), settings_.patience));
    }
    evaluate(progress);
    if (!evaluation_.has(optimizer_.steps())) return false;
    evaluation_.take_best(parameters_, optimizer_.steps());
    write_results();
    if (settings_.beams > 1 && !examples_.evaluation.empty())
      evaluation_.evaluate_by_beams(optimizer_.steps(), progress);
    run_.draw_curves();
    return true;
  }

 private:
  void begin() {
    if (!lock_) {
      run_.make();
      lock_ = std::make_unique<FolderLock>(run_.path());
      // Another process may have begun it meanwhile.
      if (run_.was_begun())
        throw UsageError(run_.path().string() + ": another process has just begun a run there");
    }
    run_.begin(settings_);
    if (!settings_.filters.empty()) run_.tell_removed(examples_.removed);
  }

  // A resumed run needs the pictures with which it began.
  void require_same_inputs() const {
    std::vector<std::string> changed;
    for (const auto& [file, hash] : examples_.inputs) {
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

  void tell_kept_states() const {
    const double each = double(config_.image_tokens()) * config_.vision.width * sizeof(float);
    log_info(what_ +
             format(": the image tower is not trained, so each picture is encoded once: {:.1f} KB each, "
                    "{:.0f} within picture_memory_mb",
                    each / 1e3, double(settings_.picture_memory_mb) * (1 << 20) / each));
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
      chosen.records.push_back(&examples_.learnt[order_.at(place)]);
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
      const ReadPass read = reader_.next();
      const PassRecords& chosen = read.chosen;
      read_ahead();
      const bool last = pass + 1 == passes();
      const auto losses = pass_.accumulate(
          read.batch, {.loss = loss_options(),
                       .dropout = {.rate = float(settings_.llm_dropout), .seed = *chosen.seed},
                       .examples = double(settings_.batch_size)});
      for (std::size_t i = 0; i < losses.size(); ++i) {
        if (!std::isfinite(losses[i].loss)) fail_at(step, "the loss of " + chosen.records[i]->place);
        part_.loss += losses[i].loss / settings_.batch_size;
        part_.parts.resize(examples_.parts.size());
        RunFolder::PartLoss& part = part_.parts[std::size_t(chosen.records[i]->part)];
        part.sum += losses[i].loss;
        ++part.examples;
      }
      reader_.keep_states(read, pass_);
      ++part_.passes;
      pass_time_ = steady_clock::now() - begun;
      if (last) break;
      if (stop_.stop_requested()) return false;
      if (checkpoint_is_due()) save();
    }
    const auto [passes_done, loss, parts] = std::exchange(part_, {});
    const double factor = schedule_.factor(step);
    const double norm = optimizer_.step({image_schedule_.factor(step), factor});
    if (!std::isfinite(norm)) fail_at(step, "the gradient's norm");
    const double seconds = std::chrono::duration<double>(steady_clock::now() - begun_).count();
    const double rate = (step + 1 - first_step_) * double(settings_.batch_size) / seconds;
    Json metrics = {{"step", step + 1},
                    {"loss", loss},
                    {"learning_rate", factor * settings_.learning_rate},
                    {"gradient_norm", norm},
                    {"examples_per_second", rate}};
    if (examples_.is_mixture()) metrics["parts"] = losses_by_part(parts);
    run_.append(metrics);
    const auto left = std::chrono::duration_cast<MediaTime>(
        std::chrono::duration<double>((total_steps_ - step - 1) * double(settings_.batch_size) / rate));
    progress.show(double(step + 1) / total_steps_, format("step {} of {}, loss {:.4f}, {:.1f} examples/s, ",
                                                          step + 1, total_steps_, loss, rate) +
                                                       position_text(left) + " left");
    return true;
  }

  // Of the parts that the step drew from.
  Json losses_by_part(const std::vector<RunFolder::PartLoss>& parts) const {
    Json by_part = Json::object();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i].examples > 0)
        by_part[examples_.parts[i].name] = {{"loss", parts[i].sum / parts[i].examples},
                                            {"examples", parts[i].examples}};
    }
    return by_part;
  }

  [[noreturn]] void fail_at(int step, const std::string& what) {
    throw Error(
        format("step {}: {} is no finite number; the last checkpoint is as it was. Try a lower learning_rate",
               step + 1, what));
  }

  void evaluate(Progress& progress) {
    if (!evaluation_.evaluate(pass_, parameters_, optimizer_.steps(), progress)) return;
    // The best weights are never newer than the checkpoint, from which they come again.
    save();
    run_.keep_best(parameters_, optimizer_.steps());
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
  FileHashes known_inputs_;  // when the run began
  ModelConfig stored_;
  ModelConfig config_;
  Preprocessor preprocessor_;
  Tokenizer tokenizer_;
  TrainingExamples examples_;
  Checkpoint checkpoint_;
  RunFolder::Origin origin_;
  Parameters parameters_;
  TrainingPass pass_;
  Optimizer optimizer_;
  PictureLoader loader_;
  RunEvaluation evaluation_;
  MixtureOrder order_;
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
