#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "service/bench/bench_report.h"
#include "service/terminal/svg.h"

namespace palisade {
namespace {

constexpr double kWidth = 800, kHeight = 480, kLeft = 70, kRight = 20, kTop = 40, kBottom = 50;

// A logarithmic axis of whole decades that hold all values.
class LogAxis {
 public:
  LogAxis(double least, double most, double from, double to)
      : first_(std::floor(std::log10(least))),
        last_(std::max(first_ + 1, std::ceil(std::log10(most)))),
        from_(from),
        to_(to) {}
  double operator()(double value) const {
    return from_ + (to_ - from_) * (std::log10(value) - first_) / (last_ - first_);
  }
  int first() const { return int(first_); }
  int last() const { return int(last_); }

 private:
  double first_, last_, from_, to_;
};

struct StagePoint {
  std::string name;
  double intensity;  // operations a byte
  double rate;       // operations a second
};

std::string decade(int power) {
  return format("{:g}", std::pow(10.0, power));
}

std::string grid(const LogAxis& x, const LogAxis& y) {
  std::string svg;
  for (int power = x.first(); power <= x.last(); ++power) {
    const double at = x(std::pow(10.0, power));
    svg += line(at, kTop, at, kHeight - kBottom, "#ddd") +
           text_at(at, kHeight - kBottom + 18, decade(power), "middle");
  }
  for (int power = y.first(); power <= y.last(); ++power) {
    const double at = y(std::pow(10.0, power));
    svg +=
        line(kLeft, at, kWidth - kRight, at, "#ddd") + text_at(kLeft - 6, at + 4, decade(power - 9), "end");
  }
  return svg + text_at(kWidth / 2, kHeight - 12, "operations a byte read", "middle") +
         text_at(kLeft - 60, kTop - 10, "GOP/s");
}

}  // namespace

std::string roofline_of(const BenchReport& report) {
  const double bandwidth = report.limits.memory.median();
  std::vector<StagePoint> points;
  double peak = 0;
  for (const auto& [precision, samples] : report.limits.matmuls) peak = std::max(peak, samples.median());
  double narrowest = 0.1, widest = 10 * peak / bandwidth, slowest = peak / 100;
  for (const StageResult& stage : report.stages) {
    if (!stage.skipped.empty()) continue;
    points.push_back({std::string(stage.stage.name), stage.work.operations() / stage.work.bytes(),
                      stage.work.operations() / stage.timing.seconds.median()});
    narrowest = std::min(narrowest, points.back().intensity);
    widest = std::max(widest, points.back().intensity);
    slowest = std::min(slowest, points.back().rate);
    peak = std::max(peak, points.back().rate);
  }
  const LogAxis x(narrowest, widest, kLeft, kWidth - kRight), y(slowest, peak, kHeight - kBottom, kTop);
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"" + attribute("width", kWidth) +
                    attribute("height", kHeight) + " font-family=\"sans-serif\" font-size=\"12\">\n" +
                    "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n" + grid(x, y) +
                    text_at(kWidth / 2, 20, report.model + ", " + report.precision, "middle");
  for (const auto& [precision, samples] : report.limits.matmuls) {
    const double roof = samples.median(), ridge = roof / bandwidth;
    // The slope of the roof begins at the picture's edge.
    const double begin = std::max(std::pow(10.0, x.first()), std::pow(10.0, y.first()) / bandwidth);
    svg += line(x(begin), y(begin * bandwidth), x(ridge), y(roof), "#06c") +
           line(x(ridge), y(roof), kWidth - kRight, y(roof), "#06c") +
           text_at(kWidth - kRight - 4, y(roof) - 6, "matmul " + precision, "end");
  }
  for (const StagePoint& point : points) {
    svg += "<circle" + attribute("cx", x(point.intensity)) + attribute("cy", y(point.rate)) +
           " r=\"4\" fill=\"#c30\"/>\n" + text_at(x(point.intensity) + 7, y(point.rate) + 14, point.name);
  }
  return svg + "</svg>\n";
}

}  // namespace palisade
