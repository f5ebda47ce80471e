#include "service/bench/figures.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "base/format.h"
#include "service/engine/engine_model.h"

namespace palisade {
namespace {

constexpr double kMaxPrefill = 5;  // seconds; longer ones are estimated
constexpr int kRepeats = 3;
constexpr int kSteps = 6;

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
  const int context = std::min(kDecodeContext, model.config().text.max_position_embeddings - kSteps - 1);
  for (const int sequences : {1, 4, 8}) {
    tell(format("decoding {} answers", sequences));
    figures.set_step(sequences, timed_steps(model, sequences, context, kSteps).seconds.median());
  }
  return figures;
}

}  // namespace palisade
