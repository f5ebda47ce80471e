#include "service/evaluation/reliability_picture.h"

#include <algorithm>

#include "base/format.h"
#include "service/terminal/svg.h"

namespace palisade {
namespace {

constexpr double kSide = 220, kLeft = 50, kTop = 70, kAcross = 300, kDown = 330;
constexpr std::size_t kAcrossEach = 3;
constexpr const char* kBefore = "#c60";
constexpr const char* kAfter = "#06c";

std::string circle(double x, double y, double radius, const char* colour) {
  return "<circle" + attribute("cx", x) + attribute("cy", y) + attribute("r", radius) + " fill=\"" + colour +
         "\" fill-opacity=\"0.6\"/>\n";
}

// Each bin as a point whose area is its share of the choices, joined.
std::string bins_of(const std::vector<JudgedChoice>& choices, double left, double top, const char* colour) {
  std::vector<std::pair<double, double>> points;
  std::string circles;
  for (const ReliabilityBin& bin : reliability(choices)) {
    const double x = left + kSide * bin.p, y = top + kSide * (1 - bin.right);
    points.emplace_back(x, y);
    circles += circle(x, y, 2 + 12 * double(bin.count) / double(choices.size()), colour);
  }
  return polyline(points, colour) + circles;
}

std::string diagram(const ReliabilityStory& story, double left, double top) {
  const std::string error =
      format("{} judged, error {:.3f}", story.before.size(), calibration_error(story.before));
  const std::string after =
      story.after.empty() ? "" : format(" before, {:.3f} after", calibration_error(story.after));
  std::string svg = text_at(left, top - 24, story.name) + text_at(left, top - 8, error + after);
  for (int tenth = 0; tenth <= 10; tenth += 2) {
    const double at = kSide * tenth / 10;
    svg += line(left + at, top, left + at, top + kSide, "#ddd") +
           line(left, top + at, left + kSide, top + at, "#ddd") +
           text_at(left + at, top + kSide + 16, format("{:.1f}", tenth / 10.0), "middle") +
           text_at(left - 6, top + kSide - at + 4, format("{:.1f}", tenth / 10.0), "end");
  }
  return svg + line(left, top + kSide, left + kSide, top, "#888") +
         bins_of(story.before, left, top, kBefore) + bins_of(story.after, left, top, kAfter);
}

}  // namespace

std::string reliability_svg(const std::vector<ReliabilityStory>& stories) {
  const std::size_t across = std::min(std::max<std::size_t>(stories.size(), 1), kAcrossEach);
  const std::size_t down = (stories.size() + kAcrossEach - 1) / kAcrossEach;
  const bool fitted =
      std::ranges::any_of(stories, [](const ReliabilityStory& story) { return !story.after.empty(); });
  std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\"" +
      attribute("width", std::max(kLeft + kAcross * double(across), fitted ? 700.0 : 500.0)) +
      attribute("height", kTop + kDown * double(down)) + " font-family=\"sans-serif\" font-size=\"12\">\n" +
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n" +
      text_at(kLeft, 20,
              std::string("How often a choice is right (upwards) at its probability (to the right)") +
                  (fitted ? ": orange before, blue after" : ""));
  for (std::size_t i = 0; i < stories.size(); ++i)
    svg += diagram(stories[i], kLeft + kAcross * double(i % kAcrossEach),
                   kTop + kDown * double(i / kAcrossEach));
  return svg + "</svg>\n";
}

}  // namespace palisade
