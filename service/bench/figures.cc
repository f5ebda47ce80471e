#include "service/bench/figures.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <set>

#include "base/format.h"
#include "service/engine/engine_model.h"

namespace palisade {
namespace {

constexpr double kMaxPrefill = 5;  // seconds; longer ones are estimated
constexpr int kRepeats = 3;
constexpr int kSteps = 6;

// With the adapter by without, each time in turn, so that what else the machine does is in both.
double slowdown(const std::function<double(const SharedAdapter&)>& seconds, const SharedAdapter& adapter) {
  Samples alone, beside;
  for (int i = 0; i <= kRepeats; ++i) {
    const double without = seconds({}), with = seconds(adapter);
    if (i == 0) continue;  // a warm-up
    alone.add(without);
    beside.add(with);
  }
  return std::max(1.0, beside.median() / alone.median());
}

int decode_context(const PaliGemma& model) {
  return std::min(kDecodeContext, model.config().text.max_position_embeddings - kSteps - 1);
}

}  // namespace

double Figures::encode(int images) const {
  const auto [together, seconds] = *encode_.rbegin();
  return images / together * seconds + images % together * encode_.begin()->second / encode_.begin()->first;
}

double Figures::prefill(int positions) const {
  auto known = prefill_.lower_bound(positions);
  if (known == prefill_.end()) known = std::prev(known);
  return known->second * work_of_prefill(config_, positions, 4).operations() /
         work_of_prefill(config_, known->first, 4).operations();
}

double Figures::step(double sequences) const {
  const auto above = std::ranges::find_if(step_, [&](const auto& one) { return one.first >= sequences; });
  if (above == step_.begin()) return above->second;
  if (above == step_.end()) {
    // Beyond the largest measured batch a token costs as much as in that batch.
    return step_.rbegin()->second * sequences / step_.rbegin()->first;
  }
  const auto below = std::prev(above);
  const double share = (sequences - below->first) / (above->first - below->first);
  return below->second + share * (above->second - below->second);
}

Figures measure_figures(const PaliGemma& model, std::span<const int> lengths, const TellStep& tell) {
  Figures figures(model.config());
  for (const int images : std::set{1, images_encoded_together(model.config().image_tokens())}) {
    const std::vector<Image> pictures = bench_images(model, images);
    figures.set_encode(images, timed(
                                   kRepeats, [&] { model.encode(pictures); },
                                   [&](int) { tell(format("encoding {} images", images)); })
                                   .seconds.median());
  }
  for (const int positions : std::set<int>(lengths.begin(), lengths.end())) {
    if (!figures.prefills().empty() && figures.prefill(positions) > kMaxPrefill) break;
    const std::vector<TokenId> tokens = bench_tokens(model, positions);
    figures.set_prefill(positions, timed(
                                       kRepeats, [&] { model.prefill({}, tokens, 1); },
                                       [&](int) { tell(format("prefill of {} positions", positions)); })
                                       .seconds.median());
  }
  const int context = decode_context(model);
  for (const int sequences : {1, 4, 8}) {
    tell(format("decoding {} answers", sequences));
    figures.set_step(sequences, timed_steps(model, sequences, context, kSteps).seconds.median());
  }
  return figures;
}

AdapterCost measure_adapter(const PaliGemma& model, const SharedAdapter& adapter, int positions,
                            const TellStep& tell) {
  tell("adapter " + adapter->identity.id);
  AdapterCost cost{.changes_images = adapter->changes_images()};
  const std::vector<Image> images = bench_images(model, 1);
  const std::vector<TokenId> tokens = bench_tokens(model, positions);
  const auto seconds_of = [](const std::function<void()>& once) {
    const auto begun = std::chrono::steady_clock::now();
    once();
    return seconds_since(begun);
  };
  if (cost.changes_images)
    cost.encode =
        slowdown([&](const SharedAdapter& one) { return seconds_of([&] { model.encode(images, {}, one); }); },
                 adapter);
  cost.prefill = slowdown(
      [&](const SharedAdapter& one) {
        return seconds_of([&] { model.prefill({}, tokens, 1, {}, {.adapter = one}); });
      },
      adapter);
  cost.step = slowdown(
      [&](const SharedAdapter& one) {
        return timed_steps(model, 1, decode_context(model), kSteps, one).seconds.median();
      },
      adapter);
  return cost;
}

}  // namespace palisade
