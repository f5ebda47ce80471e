#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "service/terminal/svg.h"
#include "service/transfer/run_folder.h"

namespace palisade {
namespace {

constexpr double kCurvesWidth = 800, kCurvesHeight = 420, kCurvesLeft = 60, kCurvesRight = 60,
                 kCurvesTop = 40, kCurvesBottom = 50;
constexpr std::size_t kMaxPoints = 400;

using Points = std::vector<std::pair<double, double>>;  // step, value

Points points_of(const std::vector<Json>& metrics, const char* key) {
  Points points;
  for (const Json& line : metrics) {
    if (line.contains(key) && line.at(key).is_number())
      points.emplace_back(line.at("step").get<double>(), line.at(key).get<double>());
  }
  return points;
}

// Averages neighbours, so that the curve of a long run stays readable.
Points thinned(const Points& points) {
  const std::size_t group = (points.size() + kMaxPoints - 1) / kMaxPoints;
  if (group < 2) return points;
  Points means;
  for (std::size_t first = 0; first < points.size(); first += group) {
    const std::size_t count = std::min(group, points.size() - first);
    double step = 0, value = 0;
    for (std::size_t i = first; i < first + count; ++i) {
      step += points[i].first / double(count);
      value += points[i].second / double(count);
    }
    means.emplace_back(step, value);
  }
  return means;
}

double largest(const Points& points) {
  double most = 0;
  for (const auto& [step, value] : points) most = std::max(most, value);
  return most;
}

}  // namespace

std::string curves_of(const std::vector<Json>& metrics) {
  const Points loss = thinned(points_of(metrics, "loss")),
               rate = thinned(points_of(metrics, "learning_rate"));
  const Points evaluated = points_of(metrics, "evaluation_loss"),
               exact = points_of(metrics, "evaluation_exact"), score = points_of(metrics, "evaluation_score");
  double steps = 1;
  for (const Json& line : metrics) steps = std::max(steps, line.at("step").get<double>());
  const double most_loss = std::max({largest(loss), largest(evaluated), 1e-9});
  const double most_rate = std::max(largest(rate), 1e-12);
  const auto placed = [&](const Points& points, double most) {
    Points places;
    for (const auto& [step, value] : points) {
      places.emplace_back(
          kCurvesLeft + (kCurvesWidth - kCurvesLeft - kCurvesRight) * step / steps,
          kCurvesHeight - kCurvesBottom - (kCurvesHeight - kCurvesTop - kCurvesBottom) * value / most);
    }
    return places;
  };
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"" + attribute("width", kCurvesWidth) +
                    attribute("height", kCurvesHeight) + " font-family=\"sans-serif\" font-size=\"12\">\n" +
                    "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n" +
                    line(kCurvesLeft, kCurvesHeight - kCurvesBottom, kCurvesWidth - kCurvesRight,
                         kCurvesHeight - kCurvesBottom, "#888") +
                    line(kCurvesLeft, kCurvesTop, kCurvesLeft, kCurvesHeight - kCurvesBottom, "#888") +
                    line(kCurvesWidth - kCurvesRight, kCurvesTop, kCurvesWidth - kCurvesRight,
                         kCurvesHeight - kCurvesBottom, "#888");
  for (int quarter = 0; quarter <= 4; ++quarter) {
    const double y =
        kCurvesHeight - kCurvesBottom - (kCurvesHeight - kCurvesTop - kCurvesBottom) * quarter / 4;
    svg += text_at(kCurvesLeft - 6, y + 4, format("{:.3g}", most_loss * quarter / 4), "end") +
           text_at(kCurvesWidth - kCurvesRight + 6, y + 4, format("{:.2f}", quarter / 4.0)) +
           text_at(kCurvesLeft + (kCurvesWidth - kCurvesLeft - kCurvesRight) * quarter / 4,
                   kCurvesHeight - kCurvesBottom + 18, format("{:.0f}", steps * quarter / 4), "middle");
  }
  svg += polyline(placed(rate, most_rate), "#bbb") + polyline(placed(loss, most_loss), "#06c") +
         polyline(placed(evaluated, most_loss), "#c60") + polyline(placed(exact, 1), "#080") +
         polyline(placed(score, std::max(1.0, largest(score))), "#808") +
         text_at(
             kCurvesLeft, 20,
             format("loss (blue), of the evaluation (orange), its exact answers (green, right){}, learning "
                    "rate (grey, to {:.3g})",
                    score.empty() ? ""
                                  : format(", its metric (purple, to {:.3g})", std::max(1.0, largest(score))),
                    most_rate)) +
         text_at(kCurvesWidth / 2, kCurvesHeight - 12, "step", "middle");
  return svg + "</svg>\n";
}

}  // namespace palisade
