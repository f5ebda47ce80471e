// Golden data of training: losses, every gradient, optimizer steps and parameters.
#include <algorithm>
#include <cmath>
#include <map>

#include "base/format.h"
#include "base/json.h"
#include "ingest/pictures/picture.h"
#include "model/config/preprocessor.h"
#include "model/kernels/kernels.h"
#include "model/matmul/matmul.h"
#include "model/train/example.h"
#include "model/train/kernels.h"
#include "model/train/optimizer.h"
#include "model/train/schedule.h"
#include "model/train/training_pass.h"
#include "model/weights/safetensors.h"
#include "service/verify/tolerance.h"
#include "service/verify/verify.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

// Tolerances of the reference's README. Losses of later optimizer steps drift; norms of gradients and
// parameters are large.
constexpr double kLossTolerance = 1e-4, kDriftingLossTolerance = 2e-3;
constexpr int kExactSteps = 3;
constexpr double kGradientShare = 1e-4, kGradientFloor = 1e-5;
constexpr double kNormShare = 1e-4;
constexpr double kParameterTolerance = 2e-5, kShareBeyond = 1e-3;

const TrainedTensors kEverything{
    .parts = {ModelPart::kImageEncoder, ModelPart::kProjection, ModelPart::kLanguageModel}};
const std::string kEmbedding = "language_model.model.embed_tokens.weight";

double norm_of(std::span<const float> x) {
  return std::sqrt(sum_of_squares(x));
}

// A golden file's tensors by name; those stored as some rows ("NAME.rows", "NAME.values") are compared there.
struct GoldenRows {
  std::string name;
  std::vector<float> values;
  std::vector<std::int64_t> rows;  // empty: all

  std::vector<float> of(std::span<const float> all) const {
    if (rows.empty()) return {all.begin(), all.end()};
    const std::size_t width = values.size() / rows.size();
    std::vector<float> chosen;
    for (const std::int64_t row : rows) {
      const auto part = all.subspan(std::size_t(row) * width, width);
      chosen.insert(chosen.end(), part.begin(), part.end());
    }
    return chosen;
  }
};

std::vector<GoldenRows> golden_rows(const SafetensorsFile& file) {
  std::vector<GoldenRows> all;
  for (const auto& [name, tensor] : file.tensors()) {
    if (name.ends_with(".rows")) continue;
    if (name.ends_with(".values")) {
      const std::string whole = name.substr(0, name.rfind('.'));
      all.push_back({whole, tensor.to_floats(), file.at(whole + ".rows").to_integers()});
    } else {
      all.push_back({name, tensor.to_floats(), {}});
    }
  }
  return all;
}

// A model in training and its examples.
class Trainee {
 public:
  explicit Trainee(const fs::path& folder)
      : config_(read_model_config(folder)),
        preprocessor_(read_preprocessor(folder, config_.vision.image_size)),
        tokenizer_(folder),
        parameters_(config_, Checkpoint(folder), kEverything),
        pass_(parameters_) {}

  // Adds an example as the golden data states it; the ids are compared.
  void add(const fs::path& root, const Json& json, const Json& input_ids, const std::string& label,
           VerificationReport& report) {
    TrainingExample example;
    std::vector<TokenId> ids;
    for (const Json& name : json.at("images")) {
      example.pictures.push_back(int(batch_.pictures.size()));
      const Image square = preprocessor_.to_square(read_picture(root / name.get<std::string>()));
      batch_.pictures.push_back(preprocessor_.pixel_values(square));
      ids.insert(ids.end(), std::size_t(config_.image_tokens()), config_.image_token);
    }
    const ExampleTokens tokens = example_tokens(config_, tokenizer_, json.at("prefix").get<std::string>(),
                                                json.at("suffix").get<std::string>());
    example.prompt = tokens.prompt;
    example.suffix = tokens.suffix;
    ids.insert(ids.end(), tokens.prompt.begin(), tokens.prompt.end());
    ids.insert(ids.end(), tokens.suffix.begin(), tokens.suffix.end());
    report.compare_ids(label + "input_ids", input_ids.get<std::vector<TokenId>>(), ids);
    batch_.examples.push_back(std::move(example));
  }

  PassOptions options(double smoothing, bool all_rows = true) const {
    return {.loss = {.label_smoothing = float(smoothing),
                     .vocabulary = all_rows ? config_.text.vocabulary : config_.image_token}};
  }
  std::vector<ExampleLoss> evaluate(const PassOptions& options) { return pass_.evaluate(batch_, options); }
  std::vector<ExampleLoss> accumulate(const PassOptions& options) {
    return pass_.accumulate(batch_, options);
  }
  // Logits of the rows that predict the targets.
  Matrix logits() const {
    const ConstMatrixView head = parameters_.weights().language_tower.head();
    Matrix logits(pass_.target_states().rows, head.rows);
    multiply(pass_.target_states(), head, true, 1, 0, logits);
    return logits;
  }
  std::span<const TokenId> targets() const { return batch_.examples.front().suffix; }
  Parameters& parameters() { return parameters_; }

 private:
  ModelConfig config_;
  Preprocessor preprocessor_;
  Tokenizer tokenizer_;
  Parameters parameters_;
  TrainingPass pass_;
  TrainingBatch batch_;
};

void compare_number(const std::string& name, double expected, double actual, double tolerance,
                    VerificationReport& report) {
  const float golden = float(expected), computed = float(actual);
  report.compare(name, {&golden, 1}, {&computed, 1}, tolerance);
}

void compare_logits(const fs::path& file, const Json& json, const Trainee& trainee,
                    VerificationReport& report) {
  Matrix logits = trainee.logits();
  const SafetensorsFile golden(file);
  report.compare("logits", golden.at("logits").to_floats(), {logits.data(), logits.size()}, kLogitTolerance);
  std::vector<float> log_probabilities;
  for (int row = 0; row < logits.rows(); ++row) {
    softmax(logits.row(row));
    log_probabilities.push_back(std::log(logits.row(row)[std::size_t(trainee.targets()[std::size_t(row)])]));
  }
  report.compare("target_logp", json.at("target_logp").get<std::vector<float>>(), log_probabilities,
                 kLogitTolerance);
}

void compare_gradients(const fs::path& file, const Json& json, Trainee& trainee, VerificationReport& report) {
  const SafetensorsFile golden(file);
  std::map<std::string, bool> compared;
  for (const GoldenRows& rows : golden_rows(golden)) {
    const auto actual = rows.of(trainee.parameters().tensor(rows.name).gradient);
    double largest = 0;
    for (const float value : rows.values) largest = std::max(largest, std::abs(double(value)));
    report.compare("gradient of " + rows.name, rows.values, actual,
                   kGradientShare * largest + kGradientFloor);
    compared[rows.name] = true;
  }
  for (const auto& [name, norm] : json.at("grad_l2_per_tensor").items()) {
    const double expected = norm.get<double>();
    compare_number("norm of " + name, expected, norm_of(trainee.parameters().tensor(name).gradient),
                   kNormShare * expected + kGradientFloor, report);
  }
  const double norm = json.at("grad_l2").get<double>();
  compare_number("grad_l2", norm, norm_of(trainee.parameters().gradient_block()), kNormShare * norm, report);
  for (const Parameters::Tensor& tensor : trainee.parameters().tensors()) {
    if (!compared.contains(tensor.spec.name))
      report.fail("gradient of " + tensor.spec.name, "not in the golden data");
  }
}

void verify_losses(const fs::path& root, const fs::path& file, const Json& json, VerificationReport& report) {
  Trainee trainee(root / json.at("model").get<std::string>());
  trainee.add(root, json, json.at("input_ids").at(0), "", report);
  for (const Json& golden : json.at("losses")) {
    const double smoothing = golden.at("label_smoothing").get<double>();
    const std::string label = " at smoothing " + golden.at("label_smoothing").dump();
    for (const auto& [name, all_rows] :
         {std::pair{"loss_all_rows", true}, {"loss_big_vision_vocab", false}}) {
      compare_number(name + label, golden.at(name).get<double>(),
                     trainee.evaluate(trainee.options(smoothing, all_rows)).front().loss, kLossTolerance,
                     report);
    }
  }
  const fs::path stem = file.parent_path() / file.stem();
  trainee.accumulate(trainee.options(json.at("gradient_label_smoothing").get<double>()));
  compare_logits(stem.string() + ".logits.safetensors", json, trainee, report);
  compare_gradients(stem.string() + ".grads.safetensors", json, trainee, report);
}

// Adam divides a gradient that is zero but for rounding by its own size (a constant added to all keys of a
// tower cancels in the softmax): each step moves it by up to the learning rate at random.
bool is_rounding_alone(const std::string& name) {
  return name.starts_with("vision_tower.") && name.ends_with("k_proj.bias");
}

void compare_parameters(const fs::path& file, double learning_rate, Trainee& trainee,
                        VerificationReport& report) {
  const SafetensorsFile golden(file);
  std::size_t entries = 0, beyond = 0;
  for (const GoldenRows& rows : golden_rows(golden)) {
    const auto actual = rows.of(trainee.parameters().tensor(rows.name).value);
    const bool random = is_rounding_alone(rows.name);
    report.compare("parameter " + rows.name, rows.values, actual,
                   random ? 2 * kExactSteps * learning_rate : 2 * learning_rate);
    for (std::size_t i = 0; !random && i < std::min(actual.size(), rows.values.size()); ++i) {
      ++entries;
      beyond += std::abs(double(actual[i]) - rows.values[i]) > kParameterTolerance;
    }
  }
  compare_number("share of parameters off by more than 2e-5", 0, double(beyond) / double(entries),
                 kShareBeyond, report);
}

std::vector<float> all_values(const Parameters& parameters) {
  std::vector<float> all;
  for (const Parameters::Tensor& tensor : parameters.tensors())
    all.insert(all.end(), tensor.value.begin(), tensor.value.end());
  return all;
}

void compare_decayed(const Json& json, const Parameters& parameters, VerificationReport& report) {
  std::vector<std::string> decayed;
  for (const Parameters::Tensor& tensor : parameters.tensors()) {
    if (tensor.spec.decayed) decayed.push_back(tensor.spec.name);
  }
  std::ranges::sort(decayed);
  report.compare_text("decayed", json.at("decayed").dump(), Json(decayed).dump());
}

void verify_optimizer(const fs::path& root, const fs::path& file, const Json& json,
                      VerificationReport& report) {
  Trainee trainee(root / json.at("model").get<std::string>());
  const Json& examples = json.at("examples");
  for (std::size_t i = 0; i < examples.size(); ++i)
    trainee.add(root, examples[i], examples[i].at("input_ids"), format("example {} ", i), report);
  compare_decayed(json, trainee.parameters(), report);
  const OptimizerSettings settings{.learning_rate = json.at("lr").get<double>(),
                                   .weight_decay = json.at("wd").get<double>(),
                                   .clip_norm = json.at("grad_clip_norm").get<double>(),
                                   .b1 = json.at("b1").get<double>(),
                                   .b2 = json.at("b2").get<double>(),
                                   .epsilon = json.at("eps").get<double>()};
  Optimizer optimizer(trainee.parameters(), settings);
  const int total = json.at("total_steps").get<int>();
  const Schedule schedule{total, warmup_steps_of(json.at("warmup_percent").get<double>(), total)};
  for (const Json& golden : json.at("steps")) {
    const int step = golden.at("step").get<int>();
    const std::string label = format("step {} ", step);
    const double tolerance = step < kExactSteps ? kLossTolerance : kDriftingLossTolerance;
    // Values after later steps drift as their losses do.
    const double share = step < kExactSteps ? kNormShare : 50 * kNormShare;
    const auto losses = trainee.accumulate(trainee.options(json.at("label_smoothing").get<double>()));
    double mean = 0;
    for (std::size_t i = 0; i < losses.size(); ++i) {
      mean += losses[i].loss / double(losses.size());
      // Once weights differ, the README's tolerance is their mean's, of which each is a part; later ones
      // drift against each other.
      if (step >= kExactSteps) continue;
      const bool updated = step > 0 && schedule.factor(step - 1) > 0;
      compare_number(format("{}loss of example {}", label, i), golden.at("per_example").at(i).get<double>(),
                     losses[i].loss, updated ? tolerance * double(losses.size()) : tolerance, report);
    }
    compare_number(label + "loss", golden.at("loss").get<double>(), mean, tolerance, report);
    const double factor = schedule.factor(step);
    compare_number(label + "schedule", golden.at("schedule").get<double>(), factor, 1e-6, report);
    const auto before = all_values(trainee.parameters());
    const double norm = optimizer.step({factor, factor});
    const double golden_norm = golden.at("grad_l2").get<double>();
    compare_number(label + "grad_l2", golden_norm, norm, share * golden_norm, report);
    auto update = all_values(trainee.parameters());
    const double parameter_norm = norm_of(update), golden_parameters = golden.at("param_l2").get<double>();
    for (std::size_t i = 0; i < update.size(); ++i) update[i] -= before[i];
    const double golden_update = golden.at("update_l2").get<double>();
    compare_number(label + "update_l2", golden_update, norm_of(update), 10 * share * golden_update, report);
    compare_number(label + "param_l2", golden_parameters, parameter_norm, share * golden_parameters, report);
    if (step + 1 == kExactSteps) {
      const fs::path stem = file.parent_path() / file.stem();
      compare_parameters(stem.string() + ".params_after_3.safetensors", settings.learning_rate, trainee,
                         report);
    }
  }
}

}  // namespace

void verify_train_case(const fs::path& root, const fs::path& file, VerificationReport& report) {
  const Json json = read_json(file);
  json.contains("steps") ? verify_optimizer(root, file, json, report)
                         : verify_losses(root, file, json, report);
}

}  // namespace palisade
