#include "service/bench/stages.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/format.h"
#include "model/matmul/matmul.h"
#include "service/bench/memory.h"

namespace palisade {
namespace {

using std::chrono::steady_clock;

constexpr Stage kStages[] = {
    {"encode-1", StageKind::kEncode, 1},       {"encode-16", StageKind::kEncode, 16, true},
    {"prefill-272", StageKind::kPrefill, 272}, {"prefill-4112", StageKind::kPrefill, 4112, true},
    {"decode-1", StageKind::kDecode, 1},       {"decode-4", StageKind::kDecode, 4},
    {"decode-8", StageKind::kDecode, 8}};

constexpr double kLongWarmUp = 2.0;  // seconds; a longer stage needs no warm-up
constexpr double kMaxStage = 60;     // seconds
constexpr int kStepsARepeat = 4;

// Measures one repetition from its construction on.
class Repetition {
 public:
  double seconds() const { return seconds_since(begun_); }
  void add_to(Timing& timing) const {
    timing.seconds.add(seconds());
    timing.matmul_thread_seconds.add(matmul_thread_seconds() - matmuls_);
  }

 private:
  steady_clock::time_point begun_ = steady_clock::now();
  double matmuls_ = matmul_thread_seconds();
};

int positions_of(const Stage& stage, int repeats) {
  if (stage.kind == StageKind::kEncode) return 0;
  return stage.kind == StageKind::kPrefill ? stage.size + 1 : kDecodeContext + 1 + kStepsARepeat * repeats;
}

}  // namespace

std::span<const Stage> all_stages() {
  return kStages;
}

std::vector<Stage> stages_named(std::span<const std::string> names) {
  std::vector<Stage> chosen;
  for (const std::string& name : names) {
    const auto fits = [&](const Stage& stage) {
      return stage.name == name || stage.name.substr(0, stage.name.find('-')) == name;
    };
    if (std::ranges::none_of(kStages, fits)) {
      std::string known = "encode, prefill, decode";
      for (const Stage& stage : kStages) known += ", " + std::string(stage.name);
      throw UsageError("there is no stage '" + name + "'; stages are " + known);
    }
  }
  // In the order of kStages, each once.
  for (const Stage& stage : kStages) {
    if (std::ranges::any_of(names, [&](const std::string& name) {
          return stage.name == name || stage.name.substr(0, stage.name.find('-')) == name;
        }))
      chosen.push_back(stage);
  }
  return chosen;
}

double bytes_per_weight(std::string_view precision) {
  return precision == "int8" ? 1 : precision == "bf16" ? 2 : 4;
}

std::vector<Image> bench_images(const PaliGemma& model, int count) {
  std::vector<Image> images;
  const int size = model.image_size();
  std::uint32_t state = 1;
  for (int i = 0; i < count; ++i) {
    std::vector<std::uint8_t> rgb(std::size_t(size) * size * 3);
    for (std::uint8_t& sample : rgb) sample = std::uint8_t((state = state * 1664525u + 1013904223u) >> 24);
    images.emplace_back(size, size, std::move(rgb));
  }
  return images;
}

std::vector<TokenId> bench_tokens(const PaliGemma& model, int count) {
  std::vector<TokenId> tokens;
  for (int i = 0; i < count; ++i)
    tokens.push_back(TokenId(std::int64_t(i + 1) * 7919 % model.config().text.vocabulary));
  return tokens;
}

Timing timed(int repeats, const std::function<void()>& once, const std::function<void(int repeat)>& tell) {
  Timing timing;
  const auto all = steady_clock::now();
  for (bool ready = false; int(timing.seconds.count()) < repeats;) {
    tell(int(timing.seconds.count()) + 1);
    const Repetition repetition;
    once();
    if (ready || repetition.seconds() > kLongWarmUp) repetition.add_to(timing);
    ready = true;
    if (timing.seconds.count() > 0 && seconds_since(all) > kMaxStage) break;
  }
  return timing;
}

Timing timed_steps(const PaliGemma& model, int sequences, int context, int steps,
                   const SharedAdapter& adapter) {
  std::vector<Sequence> all;
  all.push_back(model.prefill({}, bench_tokens(model, context), steps + 1, {}, {.adapter = adapter}));
  while (int(all.size()) < sequences) all.push_back(all.front().fork());
  std::vector<Sequence*> views;
  for (Sequence& sequence : all) views.push_back(&sequence);
  std::vector<TokenId> tokens = bench_tokens(model, sequences);  // different tokens, so that forks differ
  Timing timing;
  for (int i = 0; i <= steps; ++i) {
    const Repetition repetition;
    model.step(views, tokens);
    std::ranges::transform(all, tokens.begin(),
                           [](const Sequence& one) { return one.distribution().most_probable().token; });
    if (i > 0) repetition.add_to(timing);  // the first is a warm-up
  }
  return timing;
}

StageResult run_stage(const PaliGemma& model, const Stage& stage, int repeats, const TellStep& tell) {
  StageResult result{.stage = stage};
  const double weight = bytes_per_weight(model.identity().precision);
  const std::string name(stage.name);
  if (const int positions = positions_of(stage, repeats), most = model.config().text.max_position_embeddings;
      positions > most) {
    result.skipped = format("the model has {} positions", most);
    return result;
  }
  const auto tell_repeat = [&](int repeat) { tell(format("{}, {} of {}", name, repeat, repeats)); };
  const bool knows_peak = forget_peak();
  switch (stage.kind) {
    case StageKind::kEncode: {
      const std::vector<Image> images = bench_images(model, stage.size);
      result.work = work_of_encode(model.config(), stage.size, weight);
      result.tokens = double(stage.size) * model.config().image_tokens();
      result.timing = timed(
          repeats, [&] { model.encode(images); }, tell_repeat);
      break;
    }
    case StageKind::kPrefill: {
      const std::vector<TokenId> tokens = bench_tokens(model, stage.size);
      result.work = work_of_prefill(model.config(), stage.size, weight);
      result.tokens = stage.size;
      result.timing = timed(
          repeats, [&] { model.prefill({}, tokens, 1); }, tell_repeat);
      break;
    }
    case StageKind::kDecode: {
      const int steps = kStepsARepeat * repeats;
      tell(format("{}, {} steps", name, steps));
      result.work = work_of_step(model.config(), stage.size, kDecodeContext + steps / 2, weight);
      result.tokens = stage.size;
      result.timing = timed_steps(model, stage.size, kDecodeContext, steps);
      break;
    }
  }
  if (knows_peak) result.peak_memory = peak_memory();
  return result;
}

}  // namespace palisade
