// Golden data of beam search: every returned sequence in order, and its score.
#include "base/format.h"
#include "base/json.h"
#include "ingest/pictures/picture.h"
#include "model/decoding/generation.h"
#include "service/verify/verify.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr double kScoreTolerance = 1e-3;

EarlyStopping early_stopping_of(const Json& json) {
  if (json.is_boolean()) return json.get<bool>() ? EarlyStopping::kWhenFull : EarlyStopping::kHeuristic;
  if (json == "never") return EarlyStopping::kNever;
  throw Error("early_stopping " + json.dump() + " is none of false, true and \"never\"");
}

std::string label_of(const std::string& name, const Json& setting) {
  return name + " penalty " + setting.at("length_penalty").dump() + " stopping " +
         setting.at("early_stopping").dump();
}

void compare_setting(const std::string& label, const Json& setting, const Answer& answer,
                     VerificationReport& report) {
  const Json& sequences = setting.at("sequences");
  if (sequences.size() != answer.beams.size())
    report.fail(label, format("returned {} sequences, not {}", answer.beams.size(), sequences.size()));
  const std::size_t common = std::min(sequences.size(), answer.beams.size());
  std::vector<float> scores;
  for (std::size_t i = 0; i < common; ++i) {
    report.compare_ids(format("{} ids[{}]", label, i), sequences[i].get<std::vector<TokenId>>(),
                       answer.beams[i].token_ids);
    scores.push_back(float(answer.beams[i].score));
  }
  report.compare(label + " scores", setting.at("scores").get<std::vector<float>>(), scores, kScoreTolerance);
  if (setting.contains("text"))
    report.compare_text(label + " text", setting.at("text").at(0).get<std::string>(), answer.text);
}

}  // namespace

void verify_beams(const BeamCase& beams, VerificationReport& report) {
  for (const Json& setting : beams.settings) {
    const DecodingOptions options{
        .max_new_tokens = setting.at("max_new_tokens").get<int>(),
        .method = BeamSearch{.beams = setting.at("num_beams").get<int>(),
                             .length_penalty = setting.at("length_penalty").get<double>(),
                             .early_stopping = early_stopping_of(setting.at("early_stopping"))},
        .softcap = beams.softcap};
    Sequence sequence = beams.model.prefill(beams.features, beams.prompt_ids, options.max_new_tokens, {},
                                            {.adapter = beams.adapter});
    compare_setting(label_of(beams.name, setting), setting, decode(beams.model, std::move(sequence), options),
                    report);
  }
}

void verify_big_vision_beams(const fs::path& root, const fs::path& file, VerificationReport& report) {
  const Json cases = read_json(file);
  const PaliGemma model(root / "models" / file.parent_path().filename(), SlidingWindow::kNone);
  for (const auto& [name, golden] : cases.items()) {
    std::vector<Image> pictures;
    for (const Json& picture : golden.at("images"))
      pictures.push_back(read_picture(root / picture.get<std::string>()));
    const auto prompt = model.prompt_ids(golden.at("prefix").get<std::string>());
    const auto cap = golden.at("final_logits_softcap").get<float>();
    const DecodingOptions options{
        .max_new_tokens = golden.at("max_decode_len").get<int>(),
        .method = BeamSearch{.beams = golden.at("beam_size").get<int>(), .rules = BeamRules::kBigVision},
        .softcap = cap > 0 ? std::optional(cap) : std::nullopt};
    Sequence sequence = model.prefill(model.encode(pictures), prompt, options.max_new_tokens);
    report.compare_ids(name + ".ids", golden.at("ids").get<std::vector<TokenId>>(),
                       decode(model, std::move(sequence), options).token_ids);
  }
}

}  // namespace palisade
