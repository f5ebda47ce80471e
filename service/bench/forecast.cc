#include "service/bench/forecast.h"

#include <utility>

#include "service/bench/planned_load.h"

namespace palisade {
namespace {

constexpr int kTokensOfPrompt = 16;  // beside those of the images; a prompt's exact length hardly matters
constexpr double kForecastMinutes = 2;

}  // namespace

std::map<std::string, double> forecast_shares(const Settings& settings, const AnswerCosts& costs,
                                              int image_tokens) {
  const PlanAssumptions assumptions{.minutes = kForecastMinutes};
  const CostOfRequest cost = [&](int new_images, int frames, const std::vector<std::string>& prompts) {
    const double read = double(prompts.size()) * (frames * image_tokens + kTokensOfPrompt);
    return StageSeconds{.encode = new_images * costs.encode_image,
                        .prefill = read * costs.prefill_token,
                        .decode = double(prompts.size()) * assumptions.answer_tokens * costs.decode_token};
  };
  std::map<std::string, double> shares;
  const SimulatedLoad load = simulate(settings, assumptions, cost, true);
  for (const SeriesLoad& series : load.series) shares[series.stream] += series.seconds.total() / load.seconds;
  return shares;
}

}  // namespace palisade
