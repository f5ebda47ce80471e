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

// One stage to be timed: `size` images, positions or sequences.
struct Stage {
  std::string_view name;
  StageKind kind;
  int size = 0;
  bool long_one = false;  // left out by --quick
};
std::span<const Stage> all_stages();
// "encode" names every stage of that kind, "encode-16" one. Throws UsageError naming all stages.
std::vector<Stage> stages_named(std::span<const std::string> names);

struct Timing {
  Samples seconds;
  Samples matmul_thread_seconds;  // see matmul.h
};

struct StageResult {
  Stage stage;
  Timing timing;
  double tokens = 0;  // images' tokens, positions or answers of each repetition
  Work work;
  MachineLimits limits;  // measured before and after the stage, because other programs share the machine
  std::uint64_t peak_memory = 0;
  std::string skipped;  // the reason where it was skipped

  double tokens_per_second() const { return timing.seconds.count() ? tokens / timing.seconds.median() : 0; }
};

// Called before every repetition: "prefill-272, 2 of 5".
using TellStep = std::function<void(const std::string& step)>;

// Runs a stage. The first repetition is a warm-up unless it takes seconds; after a minute no more begin.
// Decoding starts with forks of one sequence of `kDecodeContext` positions.
inline constexpr int kDecodeContext = 272;
StageResult run_stage(const PaliGemma& model, const Stage& stage, int repeats, const TellStep& tell);

// Times `once` in the same way.
Timing timed(int repeats, const std::function<void()>& once, const std::function<void(int repeat)>& tell);
// Different pictures of the model's size, and different token ids.
std::vector<Image> bench_images(const PaliGemma& model, int count);
std::vector<TokenId> bench_tokens(const PaliGemma& model, int count);
// Times `steps` decoding steps, with the choice of the most probable token, of sequences that are forks of
// one of `context` positions.
Timing timed_steps(const PaliGemma& model, int sequences, int context, int steps,
                   const SharedAdapter& adapter = {});
// Bytes of one weight in this precision ("f32").
double bytes_per_weight(std::string_view precision);

}  // namespace palisade
