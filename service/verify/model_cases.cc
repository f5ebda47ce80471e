// Golden data of whole models: activations, logits and generated ids of one prompt or a batch of prompts.
#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <optional>

#include "base/format.h"
#include "base/json.h"
#include "ingest/pictures/picture.h"
#include "model/config/siglip_config.h"
#include "model/decoding/generation.h"
#include "model/kernels/kernels.h"
#include "model/paligemma/paligemma.h"
#include "model/paligemma/prompt.h"
#include "model/weights/safetensors.h"
#include "service/verify/tolerance.h"
#include "service/verify/verify.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

// As the reference's README has it; f32 rounding alone gives up to 3e-5 in the tower and 1.5e-4 in the
// decoder.
constexpr double kDecoderTolerance = 1e-3;

// A golden case in progress.
class ModelCase {
 public:
  ModelCase(const fs::path& root, const fs::path& file, const VerifiedModel& verified,
            VerificationReport& report)
      : root_(root),
        precision_(verified.precision),
        adapter_folder_(verified.adapter),
        json_(read_json(file)),
        report_(report),
        folder_(root / json_.at("model").get<std::string>()) {
    fs::path tensors = file;
    tensors.replace_extension(".safetensors");
    if (fs::exists(tensors)) golden_.emplace(tensors);
  }

  void run() {
    const PaliGemma model(folder_, SlidingWindow::kTransformers, precision_);
    load_adapter(model);
    const Json& prompts = json_.at("prompts");
    for (std::size_t index = 0; index < prompts.size(); ++index) run_prompt(model, int(index));
    compare_images();
    run_without_window();
    report_unchecked();
  }

 private:
  void load_adapter(const PaliGemma& model) {
    if (!adapter_folder_.empty()) adapter_ = model.load_adapter(adapter_folder_);
  }

  // Compares everything that the case holds for one prompt.
  void run_prompt(const PaliGemma& model, int index) {
    const std::string text = json_.at("prompts").at(index).get<std::string>();
    std::vector<Image> pictures;
    for (const Json& name : json_.at("images").at(index))
      pictures.push_back(read_picture(root_ / name.get<std::string>()));
    compare_input_ids(model, index, text, int(pictures.size()));
    const auto keep_rows = [&](std::string_view name, ConstMatrixView rows) {
      auto& all = image_rows_[std::string(name)];
      for (int row = 0; row < rows.rows; ++row)
        all.insert(all.end(), rows.row(row).begin(), rows.row(row).end());
    };
    const auto features = model.encode(pictures, keep_rows, adapter_);
    image_count_ += int(pictures.size());
    const auto prompt = model.prompt_ids(text);
    const auto compare_all = [&](std::string_view name, ConstMatrixView rows) {
      compare_rows(std::string(name), index, rows);
      if (name == "lm.final_norm" && golden_ && golden_->tensors().contains("logits_last")) {
        compare_rows("logits_last", index, model.logits(rows, adapter_));
      }
    };
    const Sequence sequence = model.prefill(features, prompt, 1, compare_all, {.adapter = adapter_});
    compare_steps(model, index, features, prompt, "greedy_no_eos", {"step_logits", 0});
    compare_greedy(model, index, features, prompt, "greedy", false);
    compare_greedy(model, index, features, prompt, "greedy_no_eos", true);
    const std::optional<float> cap = model.config().text.final_softcap;
    if (cap) compare_softcapped(index, *cap);
    for (const auto& [name, softcap] :
         {std::pair{"beam", std::optional<float>()}, {"beam_softcapped", cap}}) {
      if (!json_.contains(name)) continue;
      if (precision_ != Precision::kF32) {
        report_.skip(labelled(name, index), kTokensSkipped);
      } else {
        verify_beams({labelled(name, index), json_[name], model, features, prompt, softcap, adapter_},
                     report_);
      }
    }
  }

  void compare(const std::string& name, std::span<const float> golden, std::span<const float> actual,
               double in_f32) {
    report_.compare(name, golden, actual, tolerance_of(precision_, in_f32, golden));
  }

  const TensorView* find(const std::string& name) {
    if (!golden_ || !golden_->tensors().contains(name)) return nullptr;
    checked_.push_back(name);
    return &golden_->at(name);
  }

  std::string labelled(const std::string& name, int prompt) const {
    return json_.at("prompts").size() == 1 ? name : format("{}[{}]", name, prompt);
  }

  void compare_input_ids(const PaliGemma& model, int index, const std::string& text, int images) {
    const auto expected = json_.at("input_ids").at(index).get<std::vector<TokenId>>();
    auto ids = processor_ids(model.config(), model.tokenizer(), text, images);
    if (ids.size() < expected.size())
      ids.insert(ids.begin(), expected.size() - ids.size(), model.config().pad_token);
    report_.compare_ids(labelled("input_ids", index), expected, ids);
    for (const char* name : {"input_ids", "attention_mask"}) find(name);
  }

  // Golden rows [prompts, T, width] are padded on the left, and may hold the last positions alone.
  void compare_rows(const std::string& name, int prompt, ConstMatrixView rows) {
    const TensorView* tensor = find(name);
    if (!tensor || tensor->shape.size() != 3) return;
    const auto stored = int(tensor->shape[1]), width = int(tensor->shape[2]);
    if (width != rows.cols) return report_.fail(labelled(name, prompt), format("width {}", rows.cols));
    const int common = std::min(stored, rows.rows);
    const auto golden = tensor->to_floats();
    const float* expected = golden.data() + (std::size_t(prompt) * stored + stored - common) * width;
    std::vector<float> actual;
    for (int row = rows.rows - common; row < rows.rows; ++row) {
      actual.insert(actual.end(), rows.row(row).begin(), rows.row(row).end());
    }
    compare(labelled(name, prompt), {expected, actual.size()}, actual, kDecoderTolerance);
  }

  // Tower and projection of all prompts' images. A case may hold the first and the last image alone.
  void compare_images() {
    for (auto& [name, rows] : image_rows_) {
      const TensorView* tensor = find(name);
      if (!tensor) continue;
      const auto golden = tensor->to_floats();
      const auto stored = std::size_t(tensor->shape.at(0)), per_image = rows.size() / image_count_;
      std::vector<float> actual = rows;
      if (stored == 2 && image_count_ > 2) {
        actual.assign(rows.begin(), rows.begin() + per_image);
        actual.insert(actual.end(), rows.end() - per_image, rows.end());
      }
      compare(name, golden, actual, name == "projector" ? kDecoderTolerance : kTowerTolerance);
    }
    if (const TensorView* tensor = find("image_features")) {
      std::vector<float> features = image_rows_["projector"];
      scale(features, 1.0f / std::sqrt(float(tensor->shape.back())));
      compare("image_features", tensor->to_floats(), features, kDecoderTolerance);
    }
  }

  struct StepTensor {
    std::string name;
    int first_step;
  };
  // Feeds the golden ids one by one and compares the logits that choose each next token.
  void compare_steps(const PaliGemma& model, int prompt, std::span<const ImageFeatures> features,
                     std::span<const TokenId> prompt_ids, const std::string& ids_from,
                     const StepTensor& which) {
    const TensorView* tensor = find(which.name);
    if (!tensor || !json_.contains(ids_from)) return;
    const auto ids = json_[ids_from].at("ids").at(prompt).get<std::vector<TokenId>>();
    const auto steps = int(tensor->shape.at(1)), width = int(tensor->shape.at(2));
    Sequence sequence =
        model.prefill(features, prompt_ids, steps + which.first_step, {}, {.adapter = adapter_});
    std::vector<float> actual;
    for (int step = 0; step < steps + which.first_step; ++step) {
      if (step > 0) {
        Sequence* const one = &sequence;
        model.step({&one, 1}, {&ids.at(step - 1), 1});
      }
      if (step >= which.first_step)
        actual.insert(actual.end(), sequence.logits().begin(), sequence.logits().end());
    }
    const auto golden = tensor->to_floats();
    compare(labelled(which.name, prompt),
            std::span(golden).subspan(std::size_t(prompt) * steps * width, std::size_t(steps) * width),
            actual, kDecoderTolerance);
    if (which.name == "step_logits") step_logits_ = std::move(actual);
  }

  void compare_softcapped(int prompt, float cap) {
    const TensorView* tensor = find("step_logits_softcapped");
    if (!tensor) return;
    std::vector<float> capped(step_logits_.begin(),
                              step_logits_.begin() + tensor->element_count() / tensor->shape.at(0));
    softcap(capped, cap);
    compare(labelled("step_logits_softcapped", prompt), tensor->to_floats(), capped, kDecoderTolerance);
  }

  void compare_greedy(const PaliGemma& model, int prompt, std::span<const ImageFeatures> features,
                      std::span<const TokenId> prompt_ids, const std::string& name, bool ignore_eos) {
    if (!json_.contains(name)) return;
    if (precision_ != Precision::kF32) return report_.skip(labelled(name + ".ids", prompt), kTokensSkipped);
    const Json& golden = json_[name];
    const auto expected = golden.at("ids").at(prompt).get<std::vector<TokenId>>();
    // A golden sequence without <eos> was cut at its own length.
    const DecodingOptions options{.max_new_tokens = std::max<int>(24, int(expected.size())),
                                  .ignore_eos = ignore_eos};
    Sequence sequence =
        model.prefill(features, prompt_ids, options.max_new_tokens, {}, {.adapter = adapter_});
    const Answer answer = decode(model, std::move(sequence), options);
    report_.compare_ids(labelled(name + ".ids", prompt), expected, answer.token_ids);
  }

  // PaliGemma 2 decoded without the sliding window, as big_vision does.
  void run_without_window() {
    const bool wanted = json_.contains("greedy_no_window") || json_.contains("greedy_no_window_no_eos");
    if (!wanted) return;
    const PaliGemma model(folder_, SlidingWindow::kNone, precision_);
    load_adapter(model);
    for (int index = 0; index < int(json_.at("prompts").size()); ++index) {
      std::vector<Image> pictures;
      for (const Json& name : json_.at("images").at(index))
        pictures.push_back(read_picture(root_ / name.get<std::string>()));
      const auto features = model.encode(pictures, {}, adapter_);
      const auto prompt = model.prompt_ids(json_.at("prompts").at(index).get<std::string>());
      compare_steps(model, index, features, prompt, "greedy_no_window_no_eos", {"step_logits_no_window", 1});
      compare_greedy(model, index, features, prompt, "greedy_no_window", false);
      compare_greedy(model, index, features, prompt, "greedy_no_window_no_eos", true);
    }
  }

  void report_unchecked() {
    if (!golden_) return;
    for (const auto& [name, tensor] : golden_->tensors()) {
      if (std::ranges::find(checked_, name) == checked_.end())
        report_.skip(name, "not known how to compute it");
    }
  }

  fs::path root_;
  Precision precision_;
  fs::path adapter_folder_;  // or empty
  SharedAdapter adapter_;    // beside the model at work
  Json json_;
  VerificationReport& report_;
  fs::path folder_;
  std::optional<SafetensorsFile> golden_;
  std::vector<std::string> checked_;
  std::map<std::string, std::vector<float>> image_rows_;
  int image_count_ = 0;
  std::vector<float> step_logits_;
};

}  // namespace

void verify_model_case(const fs::path& root, const fs::path& file, const VerifiedModel& verified,
                       VerificationReport& report) {
  const fs::path folder = root / "models" / file.parent_path().filename();
  if (is_siglip(folder)) return verify_siglip_case(root, file, report);
  if (file.stem() == "beam_big_vision" && verified.precision != Precision::kF32)
    return report.skip("all", kTokensSkipped);
  if (file.stem() == "beam_big_vision") return verify_big_vision_beams(root, file, report);
  ModelCase(root, file, verified, report).run();
}

}  // namespace palisade
