// Golden data of adapters: logits and generated ids of five prompts, all in one batch.
#include "base/format.h"
#include "base/json.h"
#include "ingest/pictures/picture.h"
#include "model/paligemma/paligemma.h"
#include "model/weights/safetensors.h"
#include "service/verify/tolerance.h"
#include "service/verify/verify.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

// As the README of the data has it.
constexpr double kBesideTolerance = 5e-4;

// What came of one case: the tokens that were the most probable behind the golden ones, the logits that chose
// the first of them, and the log-probability of each golden token.
struct Found {
  std::vector<TokenId> tokens;
  std::vector<float> logits, logprobs, top_logits;
};

class AdapterCase {
 public:
  AdapterCase(const fs::path& root, const fs::path& file, const VerifiedModel& verified,
              VerificationReport& report)
      : root_(root),
        verified_(verified),
        report_(report),
        model_folder_(root / "models" / file.parent_path().filename()),
        cases_(read_json(file.parent_path() / "cases.json").at("cases")),
        golden_(read_json(file)),
        tensors_(fs::path(file).replace_extension(".safetensors")) {}

  // One adapter, or none where the folder is empty.
  void run(const fs::path& adapter) {
    const std::string label = adapter.empty() ? "base" : adapter.filename().string();
    compare(label, adapter, SlidingWindow::kTransformers, "");
    if (golden_.contains("greedy_no_window_no_eos"))
      compare(label, adapter, SlidingWindow::kNone, "_no_window");
  }

 private:
  void compare(const std::string& label, const fs::path& folder, SlidingWindow window,
               const std::string& suffix) {
    const PaliGemma model(model_folder_, window, verified_.precision);
    const SharedAdapter adapter = folder.empty() ? nullptr : model.load_adapter(folder);
    const std::vector<float> step_logits = floats("step_logits" + suffix), logprobs = floats("logp" + suffix),
                             tops = floats("top_logit" + suffix);
    const auto shape = tensors_.at("step_logits" + suffix).shape;  // [cases, steps, every fourth token]
    const std::size_t steps = logprobs.size() / cases_.size(), first = suffix.empty() ? 0 : 1;
    for (std::size_t index = 0; index < cases_.size(); ++index) {
      const std::string name = format("{}{} {}", label, suffix, cases_[index].at("name").get<std::string>());
      const auto ids = golden_.at("greedy" + suffix + "_no_eos").at(index).get<std::vector<TokenId>>();
      const Found found = follow(model, adapter, cases_[index], ids, first, std::size_t(shape.at(1)));
      if (verified_.precision == Precision::kF32) {
        report_.compare_ids(name + " ids", ids, found.tokens);
      } else {
        report_.skip(name + " ids", kTokensSkipped);
      }
      const auto part = [&](const std::vector<float>& all, std::size_t size) {
        return std::span(all).subspan(index * size, size);
      };
      const auto compare_floats = [&](const std::string& what, std::span<const float> golden,
                                      std::span<const float> actual) {
        report_.compare(name + what, golden, actual,
                        tolerance_of(verified_.precision, kBesideTolerance, golden));
      };
      compare_floats(" step_logits", part(step_logits, std::size_t(shape.at(1) * shape.at(2))), found.logits);
      compare_floats(" logp", part(logprobs, steps), found.logprobs);
      compare_floats(" top_logit", part(tops, steps), found.top_logits);
    }
  }

  Found follow(const PaliGemma& model, const SharedAdapter& adapter, const Json& one,
               const std::vector<TokenId>& ids, std::size_t first, std::size_t count) const {
    std::vector<Image> pictures;
    for (const Json& picture : one.at("images"))
      pictures.push_back(read_picture(root_ / picture.get<std::string>()));
    Sequence sequence = model.prefill(model.encode(pictures, {}, adapter),
                                      model.prompt_ids(one.at("prompt").get<std::string>()), int(ids.size()),
                                      {}, {.adapter = adapter});
    Found found;
    for (std::size_t step = 0; step < ids.size(); ++step) {
      const Distribution distribution = sequence.distribution();
      found.tokens.push_back(distribution.most_probable().token);
      found.logprobs.push_back(float(distribution.logprob(ids[step])));
      found.top_logits.push_back(sequence.logits()[std::size_t(ids[step])]);
      for (std::size_t token = 0; step >= first && step < first + count && token < sequence.logits().size();
           token += 4)
        found.logits.push_back(sequence.logits()[token]);
      Sequence* const alone = &sequence;
      if (step + 1 < ids.size()) model.step({&alone, 1}, {&ids[step], 1});
    }
    return found;
  }

  std::vector<float> floats(const std::string& tensor) const { return tensors_.at(tensor).to_floats(); }

  fs::path root_;
  VerifiedModel verified_;
  VerificationReport& report_;
  fs::path model_folder_;
  Json cases_;
  Json golden_;
  SafetensorsFile tensors_;
};

}  // namespace

void verify_adapter_case(const fs::path& root, const fs::path& file, const VerifiedModel& verified,
                         VerificationReport& report) {
  AdapterCase one(root, file, verified, report);
  if (!verified.adapter.empty()) return one.run(verified.adapter);
  if (file.stem() == "base") return one.run({});
  const fs::path folder = root / "adapters" / "adapters" / file.parent_path().filename();
  for (const char* const saved : {"", "_451", "_5", "_literal"}) {
    const fs::path adapter = folder / (file.stem().string() + saved);
    if (fs::exists(adapter)) one.run(adapter);
  }
}

}  // namespace palisade
