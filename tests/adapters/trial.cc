// What adapters cost: `adapter_trial [SHAPE [PRECISION [RANK [STEPS]]]]` steps eight sequences with three
// adapters of random weights, and eight without, in turns, and tells the ratio of both and the memory of an
// adapter.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "base/format.h"
#include "model/config/model_shapes.h"
#include "model/paligemma/paligemma.h"
#include "model/weights/random_checkpoint.h"
#include "model/weights/tensor_names.h"

namespace palisade {
namespace {

constexpr int kSequences = 8, kAdapters = 3, kContext = 272;

// Of every matrix of the language model.
AdapterTensors random_adapter(const ModelConfig& config, int rank, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.02f);
  AdapterTensors adapter{.identity = {.id = format("random-{}", seed)}};
  for (const auto& [name, shape] : tensor_shapes(config)) {
    if (!name.starts_with("language_model.model.layers.") || shape.size() != 2) continue;
    LowRankMatrix matrix{Matrix(rank, int(shape[1])), Matrix(int(shape[0]), rank)};
    for (Matrix* const one : {&matrix.a, &matrix.b})
      std::generate_n(one->data(), one->size(), [&] { return normal(random); });
    adapter.low_rank[name.substr(0, name.size() - std::string_view(".weight").size())] = std::move(matrix);
  }
  return adapter;
}

std::vector<TokenId> some_tokens(const ModelConfig& config, int count) {
  std::vector<TokenId> tokens;
  for (int i = 0; i < count; ++i)
    tokens.push_back(TokenId(std::int64_t(i + 1) * 7919 % config.text.vocabulary));
  return tokens;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// Steps a batch, each sequence with the token that is the most probable for it.
class Batch {
 public:
  Batch(const PaliGemma& model, const std::vector<SharedAdapter>& adapters, int steps) : model_(model) {
    const std::vector<TokenId> prompt = some_tokens(model.config(), kContext);
    tokens_ = some_tokens(model.config(), kSequences);
    std::vector<Sequence> first;
    for (const SharedAdapter& adapter : adapters)
      first.push_back(model.prefill({}, prompt, steps + 2, {}, {.adapter = adapter}));
    for (int i = 0; i < kSequences; ++i) sequences_.push_back(first[i % first.size()].fork());
    for (Sequence& sequence : sequences_) views_.push_back(&sequence);
  }

  double step() {
    const auto begun = std::chrono::steady_clock::now();
    model_.step(views_, tokens_);
    for (int i = 0; i < kSequences; ++i) tokens_[i] = sequences_[i].distribution().most_probable().token;
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  }

 private:
  const PaliGemma& model_;
  std::vector<Sequence> sequences_;
  std::vector<Sequence*> views_;
  std::vector<TokenId> tokens_;
};

int run(const std::string& shape, const std::string& precision_name, int rank, int steps) {
  const auto config = config_of_shape(shape);
  PrecisionChoice precision = Precision::kF32;
  if (!config || !read_precision(precision_name, precision) || !precision) {
    std::fprintf(stderr, "usage: adapter_trial [SHAPE [f32|bf16|int8 [RANK [STEPS]]]]\n");
    return 2;
  }
  const PaliGemma model(*config, RandomCheckpoint(), shape, SlidingWindow::kTransformers, *precision);
  std::vector<SharedAdapter> adapters;
  for (int i = 0; i < kAdapters; ++i) adapters.push_back(model.adapt(random_adapter(*config, rank, i + 1)));
  // Less than the model takes, which keeps its embedding beside the head.
  const double weight_bytes = *precision == Precision::kF32 ? 4 : *precision == Precision::kBf16 ? 2 : 1;
  const double share = double(adapters[0]->bytes()) / (weight_bytes * double(config->parameter_count()));
  const std::vector<SharedAdapter> none(kAdapters);
  Batch with(model, adapters, steps), without(model, none, steps);
  std::vector<double> seconds_with, seconds_without;
  with.step(), without.step();
  for (int i = 0; i < steps; ++i) {
    seconds_without.push_back(without.step());
    seconds_with.push_back(with.step());
  }
  const double ratio = median(seconds_with) / median(seconds_without);
  std::printf(
      "%s",
      format("{} {}, rank {}: a step of {} sequences {:.2f} ms, with {} adapters {:.2f} ms ({:+.1f} %); "
             "an adapter is {:.1f} MB, {:.2f} % of the model\n",
             shape, precision_name, rank, kSequences, 1e3 * median(seconds_without), kAdapters,
             1e3 * median(seconds_with), 100 * (ratio - 1), double(adapters[0]->bytes()) / 1e6, 100 * share)
          .c_str());
  return 0;
}

}  // namespace
}  // namespace palisade

int main(int argc, char** argv) {
  const auto argument = [&](int index, const char* otherwise) {
    return std::string(argc > index ? argv[index] : otherwise);
  };
  return palisade::run(argument(1, "tiny"), argument(2, "f32"), std::atoi(argument(3, "16").c_str()),
                       std::atoi(argument(4, "24").c_str()));
}
