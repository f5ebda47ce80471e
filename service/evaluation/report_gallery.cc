#include "service/evaluation/report_gallery.h"

#include <algorithm>
#include <set>

#include "base/format.h"
#include "service/evaluation/report_pictures.h"
#include "service/evaluation/report_style.h"

namespace palisade {
namespace {

constexpr std::size_t kMostReferences = 4;

std::string boxes_svg(const std::vector<Box>& boxes, const ReportPicture& picture, const char* colour,
                      bool dashed) {
  const LocationScale scale;
  std::string svg;
  for (const Box& box : boxes) {
    const double x = scale.share(box.x_min) * picture.width, y = scale.share(box.y_min) * picture.height;
    const double width = scale.share(box.x_max) * picture.width - x,
                 height = scale.share(box.y_max) * picture.height - y;
    svg += format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"none\" stroke=\"var({})\" "
        "stroke-width=\"2\"{}/>",
        x, y, width, height, colour, dashed ? " stroke-dasharray=\"5 3\"" : "");
    if (!box.label.empty())
      svg += format("<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"var({})\" font-size=\"11\">{}</text>", x + 3,
                    dashed ? y + height - 4 : y + 11, colour, html_text(box.label));
  }
  return svg;
}

std::string view_html(const ReportPicture& picture, const ShownExample& example) {
  if (picture.data_url.empty()) return "<div class=\"view gone\">cannot be read</div>";
  std::string html = format("<div class=\"view\"><img alt=\"\" width=\"{}\" height=\"{}\" src=\"{}\">",
                            picture.width, picture.height, picture.data_url);
  if (!example.truth.empty() || !example.found.empty())
    html +=
        format("<svg viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\">", picture.width, picture.height) +
        boxes_svg(example.truth, picture, "--truth", true) +
        boxes_svg(example.found, picture, "--found", false) + "</svg>";
  return html + "</div>";
}

}  // namespace

std::string references_text(const std::vector<std::string>& references) {
  std::set<std::string> seen;
  std::string text;
  for (const std::string& reference : references) {
    if (!seen.insert(reference).second) continue;
    if (seen.size() > kMostReferences) return text + " / \u2026";
    text += (text.empty() ? "" : " / ") + (reference.empty() ? "(nothing)" : reference);
  }
  return text;
}

std::string figure_html(const ShownExample& example, const EvaluationSettings& settings,
                        const std::string& answers) {
  std::string html = "<figure>\n<div class=\"views\">";
  for (const ReportPicture& picture : pictures_of(example, settings)) html += view_html(picture, example);
  return html + "</div>\n<figcaption><div><span class=\"k\">asked</span> " + html_text(example.prompt) +
         "</div><div><span class=\"k\">right</span> <span class=\"right\">" +
         html_text(references_text(example.references)) + "</span></div>" + answers + "<div class=\"note\">" +
         html_text(example.id) + "</div></figcaption>\n</figure>\n";
}

std::string gallery_html(const std::vector<ShownExample>& examples, const EvaluationSettings& settings) {
  std::string html = "<div class=\"gallery\">\n";
  for (const ShownExample& example : examples) {
    std::string answer = "<div><span class=\"k\">said</span> <span class=\"said\">" +
                         html_text(example.prediction.empty() ? "(nothing)" : example.prediction) +
                         "</span></div>";
    answer += format("<div><span class=\"k\">p</span> {:.3f}", example.p);
    if (example.score) answer += format(" &nbsp; <span class=\"k\">score</span> {:.3f}", *example.score);
    answer += "</div>";
    if (!example.error.empty()) answer += "<div class=\"said\">" + html_text(example.error) + "</div>";
    html += figure_html(example, settings, answer);
  }
  return html + "</div>\n";
}

std::string box_legend(const std::vector<ShownExample>& examples) {
  const bool any = std::ranges::any_of(
      examples, [](const ShownExample& example) { return !example.truth.empty() || !example.found.empty(); });
  return any ? "<p>Boxes: <span style=\"color:var(--truth)\">dashed ones are right</span>, <span "
               "style=\"color:var(--found)\">whole ones were said</span>.</p>\n"
             : "";
}

}  // namespace palisade
