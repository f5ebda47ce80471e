#include "base/format.h"
#include "service/evaluation/evaluation_comparison.h"
#include "service/evaluation/report_gallery.h"
#include "service/evaluation/report_style.h"

namespace palisade {
namespace {

std::string model_line(const std::string& name, const std::string& prediction, double score, double p,
                       bool better) {
  return format(
      "<div><span class=\"k\">{}</span> <span class=\"{}\">{}</span> (score {:.3f}, p {:.3f})</div>",
      html_text(name), better ? "right" : "said", html_text(prediction.empty() ? "(nothing)" : prediction),
      score, p);
}

std::string gallery_of(const std::string& title, const std::vector<DifferingExample>& examples,
                       const EvaluationComparison& comparison) {
  if (examples.empty()) return {};
  std::string html = "<h2>" + html_text(title) + "</h2>\n<div class=\"gallery\">\n";
  for (const DifferingExample& one : examples) {
    const bool first_better = *one.example.score > one.second_score;
    html += figure_html(
        one.example, comparison.settings,
        model_line("first", one.example.prediction, *one.example.score, one.example.p, first_better) +
            model_line("second", one.second_prediction, one.second_score, one.second_p, !first_better));
  }
  return html + "</div>\n";
}

}  // namespace

std::string comparison_html(const EvaluationComparison& comparison) {
  const std::string title = comparison.names[0] + " and " + comparison.names[1];
  const PairedDifference& difference = comparison.difference;
  std::string html = page_head(title) + "<h1>" + html_text(title) + "</h1>\n<p>" +
                     html_text(format("{} examples that both have a score of ({}, {})", comparison.examples,
                                      comparison.metric, comparison.score)) +
                     "</p>\n<div class=\"cards\">\n";
  for (int i = 0; i < 2; ++i)
    html += format("<div class=\"card\"><b>{:.4f}</b><span>{}: {}</span></div>\n", comparison.means[i],
                   i == 0 ? "first" : "second", html_text(comparison.names[i]));
  html += format(
      "<div class=\"card\"><b>{:+.4f}</b><span>difference, 95 % between {:+.4f} and {:+.4f}</span><span>"
      "paired bootstrap: p {:.3f}</span></div>\n",
      difference.difference, difference.interval.low, difference.interval.high, difference.p_value);
  if (comparison.one_right)
    html += format(
        "<div class=\"card\"><b>{} : {}</b><span>only the first is right : only the second</span><span>"
        "McNemar's exact test: p {:.4f}</span></div>\n",
        comparison.one_right->first_alone, comparison.one_right->second_alone, comparison.one_right->p_value);
  html += format("</div>\n<p>{} of {} examples differ in their score. The largest differences:</p>\n",
                 comparison.differing, comparison.examples);
  html += gallery_of("The first is better", comparison.first_better, comparison);
  html += gallery_of("The second is better", comparison.second_better, comparison);
  return html + page_end();
}

}  // namespace palisade
