// Trains the demo model from random weights: stage 0 (the image tower), then the mixture of all questions
// about the simulated street. Continues from the last checkpoint after it was stopped or killed.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <future>
#include <map>
#include <string>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "examples/demo_model/lessons.h"
#include "examples/demo_model/marks.h"
#include "examples/demo_model/patch_labels.h"
#include "model/error.h"
#include "model/train/initial_weights.h"
#include "model/train/model_folder.h"
#include "model/train/optimizer.h"
#include "model/train/schedule.h"
#include "service/terminal/interrupt.h"
#include "service/terminal/progress.h"
#include "service/transfer/run_folder.h"

namespace palisade::world {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

struct Options {
  fs::path out;
  fs::path source = fs::path(PALISADE_CONFIGS) / "models" / "demo";
  int seed = 1;
  int image_steps = 5500;
  int steps = 19000;
  int review_steps = 6000;
  int together_steps = 45000;
  double image_rate = 2e-3;
  double rate = 2e-3;
  double review_rate = 8e-4;
  double together_rate = 1e-3;
  int checkpoint_every = 250;
};

constexpr double kWarmup = 0.02;
constexpr double kSigmoidWeight = 0.3;
constexpr int kExamineEvery = 1000;

OptimizerSettings optimizer_settings(double rate) {
  return {.learning_rate = rate, .weight_decay = 0.01 * rate, .b2 = 0.98};
}

// The course of one stage: learning rate schedule, metrics, checkpoints, progress.
class Course {
 public:
  // `identity`: training continues from a checkpoint only if it has the same identity.
  Course(const std::string& what, const fs::path& folder, Parameters& parameters, double rate, int steps,
         int checkpoint_every, std::string identity)
      : what_(what),
        run_(folder),
        parameters_(parameters),
        optimizer_(parameters, optimizer_settings(rate)),
        rate_(rate),
        steps_(steps),
        checkpoint_every_(checkpoint_every),
        origin_{.data = std::move(identity), .recipe = what},
        progress_(what) {
    fs::create_directories(folder);
    if (run_.has_checkpoint()) run_.resume(parameters_, optimizer_, origin_);
    first_ = optimizer_.steps();
    log_info(format("{}: {} steps, from step {}", what, steps, first_));
  }

  int done() const { return optimizer_.steps(); }
  bool finished() const { return done() == steps_; }
  double share() const { return double(done()) / steps_; }

  // To be called when the gradients of a step are complete: updates the weights and shows the progress.
  void step(double loss, int examples) {
    const double factor = Schedule{steps_, warmup_steps_of(kWarmup, steps_)}.factor(done());
    const double norm = optimizer_.step({factor, factor});
    if (!std::isfinite(norm) || !std::isfinite(loss))
      throw ModelError(
          format("{}, step {}: loss or gradient is no finite number; the last checkpoint is as it was", what_,
                 done() + 1));
    examples_ += examples;
    const double seconds = std::chrono::duration<double>(steady_clock::now() - begun_).count();
    const double rate = examples_ / seconds;
    run_.append({{"step", done()},
                 {"loss", loss},
                 {"learning_rate", factor * rate_},
                 {"gradient_norm", norm},
                 {"examples_per_second", rate}});
    const std::chrono::duration<double> left((steps_ - done()) * seconds / (done() - first_));
    progress_.show(share(),
                   format("step {} of {}, loss {:.4f}, {:.0f} examples/s, ", done(), steps_, loss, rate) +
                       position_text(std::chrono::duration_cast<MediaTime>(left)) + " left");
    if (done() % checkpoint_every_ == 0 || finished()) save();
  }
  void save() {
    run_.save(parameters_, optimizer_, origin_, {});
    run_.draw_curves();
  }
  void tell(const Json& metrics, const std::string& text) {
    run_.append(metrics);
    progress_.clear();
    log_info(what_ + ": " + text);
  }

 private:
  std::string what_;
  RunFolder run_;
  Parameters& parameters_;
  Optimizer optimizer_;
  double rate_;
  int steps_;
  int checkpoint_every_;
  RunFolder::Origin origin_;
  Progress progress_;
  steady_clock::time_point begun_ = steady_clock::now();
  int first_ = 0;
  double examples_ = 0;
};

// A batch is drawn while the one before is trained.
template <typename Make>
auto ahead(const Make& make) {
  return std::async(std::launch::async, make);
}

// Stage 0. Returns false if it was stopped.
bool train_image_tower(const Options& options, const ModelConfig& config, Lessons& lessons,
                       const std::stop_token& stop) {
  const auto labels = patch_labels();
  Parameters parameters(
      config, InitialWeights(std::uint64_t(options.seed)),
      {.parts = {ModelPart::kImageEncoder}, .patch_classes = ImageStage::classes_of(labels)});
  ImageStage stage(parameters, {labels.begin(), labels.end()});
  Course course("image tower", options.out / "image", parameters, options.image_rate, options.image_steps,
                options.checkpoint_every,
                format("stage 0, seed {}, {} steps", options.seed, options.image_steps));
  if (course.finished()) return true;
  const auto draw = [&](int step) { return ahead([&lessons, step] { return lessons.image_lesson(step); }); };
  std::vector<double> right(labels.size());
  auto next = draw(course.done());
  while (!course.finished() && !stop.stop_requested()) {
    const ImageStageBatch batch = next.get();
    if (course.done() + 1 < options.image_steps) next = draw(course.done() + 1);
    const ImageStageLoss loss = stage.accumulate(batch, kSigmoidWeight);
    course.step(loss.labels + kSigmoidWeight * loss.sigmoid, int(batch.pictures.size()));
    for (std::size_t i = 0; i < right.size(); ++i) right[i] += 0.01 * (loss.right[i] - right[i]);
    if (course.done() % options.checkpoint_every == 0) {
      Json kinds(right);
      course.tell({{"step", course.done()}, {"labels_right", kinds}, {"sigmoid_loss", loss.sigmoid}},
                  format("step {}: captions' loss {:.3f}, labels right ", course.done(), loss.sigmoid) +
                      kinds.dump());
    }
  }
  if (next.valid()) next.wait();
  if (!course.finished()) course.save();
  return course.finished();
}

// Reads what an earlier stage has trained.
void take(const fs::path& file, ModelPart part, Parameters& parameters) {
  const SafetensorsFile stage(file);
  for (const Parameters::Tensor& tensor : parameters.tensors()) {
    if (tensor.spec.part == part) stage.at(tensor.spec.name).copy_to(tensor.value);
  }
}

// The loss over the text's tokens, without label smoothing.
LossOptions loss_options(const ModelConfig& config) {
  return {.label_smoothing = 0, .vocabulary = config.image_token};
}

// Evaluates on scenes of their own, unpacked, as the model will be used: pictures attend to the prompt.
void examine(TrainingPass& pass, const ModelConfig& config, Lessons lessons, Course& course) {
  constexpr LessonKind kKinds[]{{1, 40, 5}, {1, 40, 5}, {2, 40, 5}, {16, 20, 6}, {16, 20, 6}, {16, 20, 6}};
  std::map<std::string, std::pair<int, int>> right;  // right answers and all answers
  std::uint64_t seed = 1;
  for (const LessonKind& kind : kKinds) {
    const Lesson lesson = lessons.lesson_of(kind, seed++, true);
    const auto losses = pass.evaluate(lesson.batch, {.loss = loss_options(config)});
    for (std::size_t i = 0; i < losses.size(); ++i) {
      auto& [exact, asked] = right[format("{}: {}", lesson.batch.examples[i].pictures.size(),
                                          mark_of(lesson.questions[i].prefix))];
      exact += losses[i].exact;
      ++asked;
    }
  }
  Json shares = Json::object();
  std::string text = format("step {}:", course.done());
  for (const auto& [name, counts] : right) {
    const double share = double(counts.first) / counts.second;
    shares[name] = share;
    text += format(" {} {:.2f},", name, share);
  }
  course.tell({{"step", course.done()}, {"exact", shares}}, text);
}

struct PartPlan {
  Part part;
  const char* name;  // also the name of its folder
  int steps;
  double rate;
};

// One part of the mixture, which trains `parameters`. Returns false if it was stopped.
bool train_part(const PartPlan& plan, const Options& options, Parameters& parameters, Lessons& lessons,
                const std::function<Lessons()>& exam, const std::stop_token& stop) {
  Course course(plan.name, options.out / plan.name, parameters, plan.rate, plan.steps,
                options.checkpoint_every,
                format("{}, seed {}, {} steps", plan.name, options.seed, plan.steps));
  TrainingPass pass(parameters);
  const auto lesson = [&](int step, bool drawn) {
    return lessons.lesson(plan.part, step, double(step) / plan.steps, drawn);
  };
  const auto draw = [&](int step) { return ahead([&lesson, step] { return lesson(step, true); }); };
  for (int step = 0; step < course.done(); ++step) lesson(step, false);
  std::future<Lesson> next;
  if (!course.finished()) next = draw(course.done());
  while (!course.finished() && !stop.stop_requested()) {
    const Lesson now = next.get();
    if (course.done() + 1 < plan.steps) next = draw(course.done() + 1);
    double weights = 0, loss = 0;
    for (const TrainingExample& example : now.batch.examples) weights += example.weight;
    const auto losses = pass.accumulate(
        now.batch, {.loss = loss_options(parameters.config()), .dropout = {}, .examples = weights});
    for (std::size_t i = 0; i < losses.size(); ++i)
      loss += now.batch.examples[i].weight / weights * losses[i].loss;
    course.step(loss, int(losses.size()));
    if (course.done() % kExamineEvery == 0 || course.finished())
      examine(pass, parameters.config(), exam(), course);
  }
  if (next.valid()) next.wait();
  if (!course.finished()) course.save();
  return course.finished();
}

bool train_mixture(const Options& options, const ModelConfig& config, Lessons& lessons,
                   const std::function<Lessons()>& exam, const std::stop_token& stop) {
  const InitialWeights initial{std::uint64_t(options.seed)};
  const auto checkpoint = [&](const char* name) { return options.out / name / "checkpoint.safetensors"; };
  {
    Parameters frozen(config, initial, {.parts = {ModelPart::kProjection, ModelPart::kLanguageModel}});
    take(checkpoint("image"), ModelPart::kImageEncoder, frozen);
    const PartPlan plans[]{{Part::kCourse, "mixture", options.steps, options.rate},
                           {Part::kReview, "review", options.review_steps, options.review_rate}};
    for (const PartPlan& plan : plans) {
      if (!train_part(plan, options, frozen, lessons, exam, stop)) return false;
    }
  }
  Parameters parameters(
      config, initial,
      {.parts = {ModelPart::kImageEncoder, ModelPart::kProjection, ModelPart::kLanguageModel}});
  take(checkpoint("image"), ModelPart::kImageEncoder, parameters);
  take(checkpoint("review"), ModelPart::kProjection, parameters);
  take(checkpoint("review"), ModelPart::kLanguageModel, parameters);
  const PartPlan plan{Part::kTogether, "together", options.together_steps, options.together_rate};
  if (!train_part(plan, options, parameters, lessons, exam, stop)) return false;
  if (!fs::exists(options.out / "model"))
    write_model_folder(parameters, options.source, options.out / "model", "palisade-demo", DataType::kBf16);
  log_info("the model is in " + (options.out / "model").string());
  return true;
}

int train(const Options& options) {
  const ModelConfig config = read_model_config(options.source);
  const Preprocessor preprocessor = read_preprocessor(options.source, config.vision.image_size);
  const Tokenizer tokenizer(options.source);
  const auto lessons_of = [&](std::uint64_t seed) { return Lessons(config, preprocessor, tokenizer, seed); };
  const auto seed = std::uint64_t(options.seed);
  Interrupt interrupt;
  Lessons lessons = lessons_of(2 * seed);
  const bool done =
      train_image_tower(options, config, lessons, interrupt.token()) &&
      train_mixture(
          options, config, lessons, [&] { return lessons_of(2 * seed + 1); }, interrupt.token());
  if (!done) log_info("stopped; the same command goes on from here");
  return done ? 0 : 1;
}

}  // namespace
}  // namespace palisade::world

int main(int argc, char** argv) {
  using namespace palisade;
  world::Options options;
  CLI::App app{"Trains Palisade's demo model from nothing on the simulated street"};
  app.add_option("--out", options.out, "The folder of the run; one that was begun is gone on with")
      ->required();
  app.add_option("--source", options.source, "A model folder with its configuration and tokenizer")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of weights and scenes")
      ->check(CLI::Range(0, 1 << 30))
      ->capture_default_str();
  app.add_option("--image-steps", options.image_steps, "Of stage 0")
      ->check(CLI::Range(1, 1 << 24))
      ->capture_default_str();
  app.add_option("--steps", options.steps, "Of the mixture")
      ->check(CLI::Range(1, 1 << 24))
      ->capture_default_str();
  app.add_option("--review-steps", options.review_steps, "Of its review")
      ->check(CLI::Range(1, 1 << 24))
      ->capture_default_str();
  app.add_option("--together-steps", options.together_steps, "Of the last part, with the image tower")
      ->check(CLI::Range(1, 1 << 24))
      ->capture_default_str();
  app.add_option("--checkpoint-every", options.checkpoint_every, "Steps")
      ->check(CLI::Range(1, 1 << 24))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return world::train(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "palisade-train-demo: %s\n", error.what());
    return 1;
  }
}
