#include "service/transfer/transfer_settings.h"

#include <array>
#include <charconv>

#include "base/format.h"
#include "base/joined.h"
#include "base/json.h"
#include "frames/resize.h"
#include "service/settings/settings_reader.h"
#include "service/settings/settings_tree.h"
#include "tasks/metrics/metric.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<std::string_view, TrainedParts>, 3> kParts = {
    {{"all", TrainedParts::kAll},
     {"language", TrainedParts::kLanguageModel},
     {"projection", TrainedParts::kProjection}}};

constexpr std::array<std::pair<std::string_view, LoraOutput>, 3> kLoraOutputs = {
    {{"both", LoraOutput::kBoth}, {"adapter", LoraOutput::kAdapter}, {"model", LoraOutput::kModel}}};

constexpr std::array<std::pair<std::string_view, RateCourse>, 2> kCourses = {
    {{"cosine", RateCourse::kCosine}, {"rsqrt", RateCourse::kInverseRoot}}};

constexpr double kMaxExamples = 1e12;
constexpr int kMaxCount = 1'000'000'000;

void read_path(SettingsReader& reader, const char* key, const fs::path& folder, fs::path& into) {
  std::string text;
  if (reader.read(key, text)) into = folder / text;
}

// One of some words.
template <typename Choice, std::size_t kCount>
void read_choice_of(SettingsReader& reader, const char* key,
                    const std::array<std::pair<std::string_view, Choice>, kCount>& choices, Choice& into) {
  std::string name;
  if (!reader.read(key, name)) return;
  for (const auto& [known, choice] : choices) {
    if (name == known) {
      into = choice;
      return;
    }
  }
  std::string known;
  for (std::size_t i = 0; i < kCount; ++i)
    known += (i == 0 ? "" : i + 1 == kCount ? " or " : ", ") + std::string(choices[i].first);
  reader.problem(key, format("{} is {}, not '{}'", key, known, name));
}

// "exact, vqa or anls"
std::string metric_names() {
  std::vector<std::string> names;
  for (const Metric& metric : all_metrics()) names.emplace_back(metric.name);
  return joined(names);
}

// The shortest text that parses to the same number.
std::string text_of(double number) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
}

}  // namespace

std::vector<ModelPart> TransferSettings::trained_parts() const {
  if (parts == TrainedParts::kProjection) return {ModelPart::kProjection};
  if (parts == TrainedParts::kLanguageModel) return {ModelPart::kLanguageModel};
  if (freeze_vit) return {ModelPart::kProjection, ModelPart::kLanguageModel};
  return {ModelPart::kImageEncoder, ModelPart::kProjection, ModelPart::kLanguageModel};
}

bool TransferSettings::trains(ModelPart part) const {
  return std::ranges::count(trained_parts(), part) > 0;
}

void read_recipe(const YamlNode& root, const fs::path& folder, TransferSettings& settings,
                 std::vector<Problem>& problems) {
  SettingsReader reader(root, "a recipe", problems);
  read_path(reader, "model", folder, settings.model);
  read_path(reader, "data", folder, settings.data);
  read_path(reader, "mixture", folder, settings.mixture);
  read_path(reader, "evaluation", folder, settings.evaluation);
  read_path(reader, "filters", folder, settings.filters);
  reader.read("resolution", settings.resolution, 0, 4096);
  reader.read("epochs", settings.epochs, 0, 1e6);
  reader.read("examples", settings.examples, 0, kMaxExamples);
  reader.read("learning_rate", settings.learning_rate, 0, 1);
  reader.read("label_smoothing", settings.label_smoothing, 0, 0.99);
  reader.read("llm_dropout", settings.llm_dropout, 0, 0.99);
  reader.read("weight_decay", settings.weight_decay, 0, 1);
  reader.read("freeze_vit", settings.freeze_vit);
  reader.read("beams", settings.beams, 1, 16);
  reader.read("batch_size", settings.batch_size, 1, 65536);
  reader.read("examples_at_once", settings.examples_at_once, 1, 65536);
  reader.read("text_length", settings.text_length, 4, 8192);
  reader.read("warmup", settings.warmup, 0, 1);
  reader.read("image_warmup", settings.image_warmup, 0, 1);
  read_choice_of(reader, "schedule", kCourses, settings.schedule);
  reader.read("timescale", settings.timescale, 1, kMaxExamples);
  reader.read("schedule_shift", settings.schedule_shift, 0, kMaxExamples);
  read_choice_of(reader, "parts", kParts, settings.parts);
  reader.read("lora_rank", settings.lora_rank, 0, 1024);
  read_choice_of(reader, "lora_output", kLoraOutputs, settings.lora_output);
  reader.read("resize", settings.resize);
  reader.read("frames", settings.frames, 1, 256);
  reader.read("frame_step", settings.frame_step, 1, 10'000);
  reader.read("picture_memory_mb", settings.picture_memory_mb, 0, 1 << 20);
  reader.read("allow_empty_suffix", settings.allow_empty_suffix);
  reader.read("seed", settings.seed, 0, kMaxCount);
  reader.read("evaluate_every", settings.evaluate_every, 0, kMaxCount);
  reader.read("metric", settings.metric);
  reader.read("lower", settings.lower);
  reader.read("patience", settings.patience, 0, kMaxCount);
  reader.read("checkpoint_every", settings.checkpoint_every, 0, kMaxCount);
  reader.read("checkpoint_minutes", settings.checkpoint_minutes, 0, 1e6);
  reader.finish();
}

void read_recipe(std::string_view text, const fs::path& file, TransferSettings& settings) {
  std::vector<Problem> problems;
  const YamlNode root = read_yaml(text, problems);
  if (problems.empty()) read_recipe(root, file.parent_path(), settings, problems);
  if (!problems.empty()) throw SettingsError(problem_lines(std::move(problems), file.string()));
}

std::string recipe_text(const TransferSettings& settings) {
  std::string text;
  const auto line = [&](const char* key, const std::string& value) {
    text += std::string(key) + ": " + value + "\n";
  };
  const auto flag = [](bool value) { return std::string(value ? "true" : "false"); };
  const auto path = [&](const char* key, const fs::path& value) {
    if (!value.empty()) line(key, Json(fs::absolute(value).string()).dump());
  };
  path("model", settings.model);
  path("data", settings.data);
  path("mixture", settings.mixture);
  path("evaluation", settings.evaluation);
  path("filters", settings.filters);
  line("resolution", std::to_string(settings.resolution));
  line("epochs", text_of(settings.epochs));
  line("examples", text_of(settings.examples));
  line("learning_rate", text_of(settings.learning_rate));
  line("label_smoothing", text_of(settings.label_smoothing));
  line("llm_dropout", text_of(settings.llm_dropout));
  line("weight_decay", text_of(settings.weight_decay));
  line("freeze_vit", flag(settings.freeze_vit));
  line("beams", std::to_string(settings.beams));
  line("batch_size", std::to_string(settings.batch_size));
  line("examples_at_once", std::to_string(settings.examples_at_once));
  line("text_length", std::to_string(settings.text_length));
  line("warmup", text_of(settings.warmup));
  line("image_warmup", text_of(settings.image_warmup));
  // Only where it differs, so that a run of an earlier version goes on.
  if (settings.schedule == RateCourse::kInverseRoot) {
    line("schedule", "rsqrt");
    line("timescale", text_of(settings.timescale));
    line("schedule_shift", text_of(settings.schedule_shift));
  }
  for (const auto& [name, parts] : kParts) {
    if (parts == settings.parts) line("parts", std::string(name));
  }
  line("lora_rank", std::to_string(settings.lora_rank));
  for (const auto& [name, output] : kLoraOutputs) {
    if (output == settings.lora_output) line("lora_output", std::string(name));
  }
  if (!settings.resize.empty()) line("resize", settings.resize);
  line("frames", std::to_string(settings.frames));
  line("frame_step", std::to_string(settings.frame_step));
  line("picture_memory_mb", std::to_string(settings.picture_memory_mb));
  line("allow_empty_suffix", flag(settings.allow_empty_suffix));
  line("seed", std::to_string(settings.seed));
  line("evaluate_every", std::to_string(settings.evaluate_every));
  if (!settings.metric.empty()) line("metric", settings.metric);
  line("lower", flag(settings.lower));
  line("patience", std::to_string(settings.patience));
  line("checkpoint_every", std::to_string(settings.checkpoint_every));
  line("checkpoint_minutes", text_of(settings.checkpoint_minutes));
  return text;
}

void check(const TransferSettings& settings) {
  std::vector<std::string> problems;
  const auto require = [&](bool good, const std::string& problem) {
    if (!good) problems.push_back(problem);
  };
  require(!settings.model.empty(), "model: name the folder of the model to start from");
  require(!settings.data.empty() || !settings.mixture.empty(), "data: name the JSONL file of examples");
  require(settings.mixture.empty() || (settings.data.empty() && settings.evaluation.empty()),
          "mixture: each of its parts names its own data and evaluation; leave those of the recipe out");
  require(settings.epochs > 0 || settings.examples > 0, "epochs: at least a part of one");
  require(settings.resize.empty() || resize_preset_of(settings.resize),
          "resize: '" + settings.resize +
              "' is no preset; hf-bicubic, hf-bilinear, bv-bilinear, bv-bilinear-aa or "
              "bv-video-float");
  require(settings.metric.empty() || find_metric(settings.metric),
          "metric: '" + settings.metric + "' is none; " + metric_names());
  require(settings.metric != "detection" && settings.metric != "segmentation",
          "metric: boxes and masks are not scored while training; `palisade evaluate` scores the model");
  require(settings.metric.empty() || !settings.evaluation.empty() || !settings.mixture.empty(),
          "metric: name the examples that it is of as evaluation");
  require(!settings.lower || !settings.metric.empty(), "lower: name the metric that compares in lower case");
  require(settings.patience == 0 || (!settings.metric.empty() && settings.evaluate_every > 0),
          "patience: give evaluate_every, and the metric whose best score is waited for (exact, ...)");
  require(!(settings.freeze_vit && settings.image_warmup > 0),
          "image_warmup: the image encoder is frozen; remove it or freeze_vit");
  if (!problems.empty()) throw SettingsError(problems);
}

}  // namespace palisade
