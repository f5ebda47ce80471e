#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/paligemma/paligemma.h"
#include "service/bench/machine_limits.h"
#include "service/bench/samples.h"
#include "service/bench/work.h"

namespace palisade {

enum class StageKind { kEncode, kPrefill, kDecode };

// One thing that is timed: `size` images, positions or sequences.
struct Stage {
  std::string_view name;
  StageKind kind;
  int size = 0;
  bool long_one = false;  // left out by --quick
};
std::span<const Stage> all_stages();
// "encode" is all of that kind, "encode-16" one. Throws UsageError naming what there is.
std::vector<Stage> stages_named(std::span<const std::string> names);

struct Timing {
  Samples seconds;
  Samples matmul_thread_seconds;  // see matmul.h
};

struct StageResult {
  Stage stage;
  Timing timing;
  double tokens = 0;  // of images, positions or answers, each repetition
  Work work;
  MachineLimits limits;  // before and after it: others may have the machine at other times
  std::uint64_t peak_memory = 0;
  std::string skipped;  // why, where it was

  double tokens_per_second() const { return timing.seconds.count() ? tokens / timing.seconds.median() : 0; }
};

// Told before every repetition: "prefill-272, 2 of 5".
using TellStep = std::function<void(const std::string& step)>;

// The first repetition makes ready and does not count, unless it takes seconds; no more begin once the stage
// has taken a minute. Decoding goes on from `kDecodeContext` positions, of which all sequences are forks.
inline constexpr int kDecodeContext = 272;
StageResult run_stage(const PaliGemma& model, const Stage& stage, int repeats, const TellStep& tell);

// Times `once` as run_stage does.
Timing timed(int repeats, const std::function<void()>& once, const std::function<void(int repeat)>& tell);
// Different pictures of the model's size, and different tokens.
std::vector<Image> bench_images(const PaliGemma& model, int count);
std::vector<TokenId> bench_tokens(const PaliGemma& model, int count);
// Sequences of `context` positions, forks of one, with room for `steps` more; and their steps, each with the
// choice of the most probable token.
Timing timed_steps(const PaliGemma& model, int sequences, int context, int steps);
// Of a weight as a model of this precision ("f32") holds it.
double bytes_per_weight(std::string_view precision);

}  // namespace palisade
