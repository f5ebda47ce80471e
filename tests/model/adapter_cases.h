#pragma once

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "ingest/pictures/picture.h"
#include "model/decoding/generation.h"
#include "model/paligemma/paligemma.h"
#include "model/weights/safetensors_writer.h"
#include "tests/model/golden.h"

namespace palisade {

inline const std::filesystem::path kAdapters = kReference / "adapters";

// The usable adapters of a model of the golden data.
inline std::vector<std::string> adapter_names(const std::string& model) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kAdapters / "adapters" / model))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

// The values of an adapter that was saved in several ways stand once.
inline std::string expected_of(std::string adapter) {
  for (const std::string ending : {"_451", "_5", "_literal"}) {
    if (adapter.ends_with(ending)) adapter.resize(adapter.size() - ending.size());
  }
  return adapter;
}

// What transformers and PEFT give for the five cases of one model, beside an adapter or without ("base").
class AdapterCases {
 public:
  AdapterCases(const std::string& model, const std::string& adapter)
      : cases_(read_json(kAdapters / "expected" / model / "cases.json")["cases"]),
        values_(read_json(kAdapters / "expected" / model / (expected_of(adapter) + ".json"))),
        tensors_(kAdapters / "expected" / model / (expected_of(adapter) + ".safetensors")) {}

  const Json& values() const { return values_; }
  const SafetensorsFile& tensors() const { return tensors_; }
  int count() const { return int(cases_.size()); }
  std::string name(int index) const { return cases_[index]["name"]; }
  std::vector<Image> images(int index) const {
    std::vector<Image> images;
    for (const Json& file : cases_[index]["images"])
      images.push_back(read_picture(kReference / file.get<std::string>()));
    return images;
  }
  std::string prompt(int index) const { return cases_[index]["prompt"]; }
  // The window: "greedy", "greedy_no_eos", and the same with "_no_window".
  std::vector<TokenId> tokens(const std::string& key, int index) const { return values_[key][index]; }

  Sequence prefill(const PaliGemma& model, const std::shared_ptr<const Adapter>& adapter, int index,
                   int new_tokens = 12) const {
    const std::vector<Image> all = images(index);
    return model.prefill(model.encode(all, {}, adapter), model.prompt_ids(prompt(index)), new_tokens, {},
                         {.adapter = adapter});
  }

 private:
  Json cases_;
  Json values_;
  SafetensorsFile tensors_;
};

// An adapter of the golden data, or a new one, that a test changes.
struct ChangedAdapter {
  struct Tensor {
    std::vector<std::int64_t> shape;
    std::vector<float> values;
  };
  Json config;
  std::map<std::string, Tensor> tensors;

  explicit ChangedAdapter(const std::filesystem::path& folder)
      : config(read_json(folder / "adapter_config.json")) {
    const SafetensorsFile file(folder / "adapter_model.safetensors");
    for (const auto& [name, view] : file.tensors()) tensors[name] = {view.shape, view.to_floats()};
  }
  // As it is now, in a folder of its own.
  std::filesystem::path write(const std::filesystem::path& folder) const {
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "adapter_config.json") << config.dump();
    std::vector<NamedFloats> all;
    for (const auto& [name, tensor] : tensors) all.push_back({name, tensor.shape, tensor.values});
    write_safetensors(folder / "adapter_model.safetensors", all, {{"format", "pt"}});
    return folder;
  }
};

// Largest differences to the reference, of one adapter with one model.
struct AdapterDifferences {
  int wrong_ids = 0;
  double logits = 0, logprobs = 0;
};

// Follows the reference's tokens and compares what comes next, all cases in one batch.
inline AdapterDifferences compare(const PaliGemma& model, const std::shared_ptr<const Adapter>& adapter,
                                  const AdapterCases& cases, bool window = true) {
  const std::string suffix = window ? "" : "_no_window";
  const std::vector<float> step_logits = cases.tensors().at("step_logits" + suffix).to_floats(),
                           logprobs = cases.tensors().at("logp" + suffix).to_floats(),
                           top_logits = cases.tensors().at("top_logit" + suffix).to_floats();
  const auto shape = cases.tensors().at("step_logits" + suffix).shape;  // [cases, steps, vocabulary / 4]
  const int first_step = window ? 0 : 1;
  std::vector<Sequence> sequences;
  for (int index = 0; index < cases.count(); ++index)
    sequences.push_back(cases.prefill(model, adapter, index));
  AdapterDifferences differences;
  const auto see = [](double& largest, double difference) {
    if (!(std::abs(difference) <= largest)) largest = std::abs(difference);
  };
  for (int step = 0; step < 12; ++step) {
    std::vector<TokenId> tokens;
    std::vector<Sequence*> all;
    for (int index = 0; index < cases.count(); ++index) {
      Sequence& sequence = sequences[index];
      const TokenId token = cases.tokens("greedy" + suffix + "_no_eos", index)[step];
      const Distribution distribution = sequence.distribution();
      differences.wrong_ids += distribution.most_probable().token != token;
      see(differences.logprobs, distribution.logprob(token) - logprobs[index * 12 + step]);
      see(differences.logits, sequence.logits()[token] - top_logits[index * 12 + step]);
      if (step >= first_step && step < first_step + shape[1]) {
        const auto row = std::size_t((index * shape[1] + step - first_step) * shape[2]);
        for (std::int64_t i = 0; i < shape[2]; ++i)
          see(differences.logits, sequence.logits()[4 * i] - step_logits[row + i]);
      }
      tokens.push_back(token);
      all.push_back(&sequence);
    }
    if (step < 11) model.step(all, tokens);
  }
  return differences;
}

}  // namespace palisade
