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
  const CostOfRequest cost = [&](const PlannedRequest& request) {
    const double prompts = double(request.prompts.size());
    const double read = prompts * (request.frames * image_tokens + kTokensOfPrompt);
    const double decoded = request.decodes() ? prompts * assumptions.answer_tokens : 0;
    return StageSeconds{.encode = request.new_images * costs.encode_image,
                        .prefill = read * costs.prefill_token,
                        .decode = decoded * costs.decode_token};
  };
  std::map<std::string, double> shares;
  const SimulatedLoad load = simulate(settings, assumptions, cost, true);
  for (const SeriesLoad& series : load.series) shares[series.stream] += series.seconds.total() / load.seconds;
  return shares;
}

}  // namespace palisade
