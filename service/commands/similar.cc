#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "ingest/pictures/picture.h"
#include "model/error.h"
#include "model/siglip/siglip.h"
#include "model/weights/weights_hash.h"
#include "service/commands/command.h"
#include "service/commands/model_flags.h"
#include "tasks/events/answer_event.h"
#include "tasks/prompt.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxTexts = 1000;

struct SimilarOptions {
  std::string image;
  std::vector<std::string> texts;
  std::string model;
  std::string sha256;  // that the weights must have; empty: any
  bool json = false;
};

struct Score {
  std::string text;
  float logit = 0;
};

void check(const SimilarOptions& options) {
  if (options.model.empty()) {
    throw UsageError(
        "similar has no model of its own; give a SigLIP folder in Hugging Face layout with --model DIR "
        "(google/siglip-base-patch16-224 is one)");
  }
  if (options.texts.size() > kMaxTexts) throw UsageError("more than 1000 texts; give fewer");
}

std::vector<std::string> texts_of(const SimilarOptions& options) {
  std::vector<std::string> texts;
  for (const std::string& written : options.texts) {
    PlainText text = plain_text(written);
    if (text.fault.empty() && text.text.empty()) text.fault = "is blank: say what the picture may show";
    if (text.text.size() > kMaxPrompt) text.fault = "is longer than 8 KiB: shorten it";
    if (!text.fault.empty()) throw UsageError("a text " + text.fault);
    texts.push_back(std::move(text.text));
  }
  return texts;
}

// Most probable first; ties in the order given.
std::vector<Score> scores_of(const Siglip& model, const Image& image, const std::vector<std::string>& texts) {
  const Matrix logits = model.logits(model.embed({&image, 1}), model.embed(texts));
  std::vector<Score> scores;
  for (std::size_t index = 0; index < texts.size(); ++index) {
    const float logit = logits.row(0)[index];
    if (!std::isfinite(logit))
      throw ModelError("the model's score is no number; its weights are damaged: download them again");
    scores.push_back({texts[index], logit});
  }
  std::ranges::stable_sort(scores, std::greater{}, &Score::logit);
  return scores;
}

void print_json(const SimilarOptions& options, const Siglip& model, const std::vector<Score>& scores) {
  ModelIdentity identity = model.identity();
  identity.sha256 = WeightsHash(model.weight_files()).hex();
  Json list = Json::array();
  for (const Score& score : scores) {
    list.push_back({{"text", score.text}, {"logit", score.logit}, {"p", probability_of(score.logit)}});
  }
  const Json line = {{"image", options.image}, {"scores", std::move(list)}, {"model", to_json(identity)}};
  std::printf("%s\n", line.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
}

// Checked before any score is printed, on the open files that the weights were read from.
void require_sha256(const SimilarOptions& options, const Siglip& model) {
  if (options.sha256.empty()) return;
  const std::string found = weights_sha256(model.weight_files());
  if (found != options.sha256)
    throw ModelError(options.model + ": the weights have the SHA-256 " + found + ", not " + options.sha256 +
                     " (--model-sha256); download them again, or pin what they are now if you trust it");
}

int similar(const SimilarOptions& options) {
  check(options);
  const std::vector<std::string> texts = texts_of(options);
  const Image image = read_picture(options.image);
  const Siglip model(options.model);
  require_sha256(options, model);
  const auto scores = scores_of(model, image, texts);
  if (options.json) {
    print_json(options, model, scores);
  } else {
    for (const Score& score : scores) {
      std::printf("%.4f  %+8.3f  %s\n", probability_of(score.logit), score.logit,
                  escaped(score.text).c_str());
    }
  }
  return kDone;
}

}  // namespace

void add_similar(CLI::App& app, Run& run) {
  CLI::App* const command =
      app.add_subcommand("similar", "How well each text fits a picture, with a SigLIP checkpoint");
  const auto options = std::make_shared<SimilarOptions>();
  command->add_option("IMAGE", options->image, "JPEG, PNG or WebP picture")->required();
  command->add_option("TEXT", options->texts, "Texts that may describe the picture; each is scored by itself")
      ->required();
  command
      ->add_option("--model", options->model,
                   "SigLIP folder in Hugging Face layout: config.json, spiece.model, *.safetensors")
      ->envname("PALISADE_SIGLIP_MODEL")
      ->type_name("DIR");
  add_sha256_flag(*command, options->sha256);
  command->add_flag("--json", options->json, "Print one JSON line: image, scores (text, logit, p), model");
  command->footer(
      "\nOne line a text: probability, logit, text; the most probable first.\n"
      "\nExamples:\n"
      "  palisade similar --model siglip-base-patch16-224 street.jpg \"a red car\" \"two dogs\"\n"
      "  palisade similar --model siglip-base-patch16-224 street.jpg \"rain\" --json");
  command->callback([&run, options] { run = [options] { return similar(*options); }; });
}

}  // namespace palisade
