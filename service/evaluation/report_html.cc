#include <algorithm>

#include "base/format.h"
#include "service/evaluation/evaluation_report.h"
#include "service/evaluation/reliability_picture.h"
#include "service/evaluation/report_gallery.h"
#include "service/evaluation/report_style.h"

namespace palisade {
namespace {

std::string card(const std::string& big, const std::string& small, const std::string& more = {}) {
  return "<div class=\"card\"><b>" + html_text(big) + "</b><span>" + html_text(small) + "</span>" +
         (more.empty() ? "" : "<span>" + html_text(more) + "</span>") + "</div>\n";
}

std::string cards(const EvaluationReport& report) {
  std::string html = "<div class=\"cards\">\n";
  for (const EvaluatedPart& part : report.scores.metrics) {
    html +=
        card(part.main ? figure_text(*part.main) : "not defined",
             format("{} ({}), {} examples", part.metric->main_figure, part.metric->name, part.examples),
             part.interval ? format("95 % between {:.4f} and {:.4f}", part.interval->low, part.interval->high)
                           : "");
  }
  for (const ComparedFigure& figure : compared_figures(report)) {
    html += card(figure.reproduced ? format("{:.2f}", *figure.reproduced) : "not defined",
                 format("{} as papers print it", figure.name),
                 figure.published ? format("published: {:.2f}", *figure.published)
                                  : "published: " + report.published->published);
  }
  if (!report.judged.empty())
    html += card(format("{:.4f}", calibration_error(report.judged)), "calibration error",
                 format("{} answers that are right or wrong", report.judged.size()));
  const double seconds = report.speed.seconds;
  if (seconds > 0)
    html += card(format("{:.1f}/s", double(report.scores.examples.size()) / seconds), "examples",
                 format("{:.0f} tokens/s, {} pictures encoded, {:.1f} s in all",
                        double(report.speed.tokens) / seconds, report.speed.images_encoded, seconds));
  return html + "</div>\n";
}

// From 0 to 1: the score, its interval, and a mark where the best constant answer is.
std::string bar_of(const EvaluatedPart& part) {
  const double most = std::max(1.0, part.interval ? part.interval->high : part.main.value_or(1));
  const auto at = [&](double value) { return 200 * std::clamp(value / most, 0.0, 1.0); };
  std::string svg =
      "<svg viewBox=\"0 0 200 18\" preserveAspectRatio=\"none\">"
      "<rect x=\"0\" y=\"4\" width=\"200\" height=\"10\" fill=\"var(--line)\"/>";
  svg += format("<rect x=\"0\" y=\"4\" width=\"{:.1f}\" height=\"10\" fill=\"var(--fill)\"/>",
                at(part.main.value_or(0)));
  if (part.interval)
    svg += format("<rect x=\"{:.1f}\" y=\"8\" width=\"{:.1f}\" height=\"2\" fill=\"var(--accent)\"/>",
                  at(part.interval->low), std::max(1.0, at(part.interval->high) - at(part.interval->low)));
  if (part.constant)
    svg += format("<rect x=\"{:.1f}\" y=\"0\" width=\"2\" height=\"18\" fill=\"var(--bad)\"/>",
                  std::min(at(*part.constant), 198.0));
  return svg + "</svg>";
}

std::string score_row(const EvaluatedPart& part) {
  return format(
      "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"bar\">{}</td><td class=\"n\">{}</td>"
      "<td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n",
      part.group.empty() ? "all" : html_text(part.group),
      html_text(std::string(part.metric->name) + ", " + std::string(part.metric->main_figure)),
      part.main ? figure_text(*part.main) : "not defined", bar_of(part),
      part.interval ? format("{:.4f} to {:.4f}", part.interval->low, part.interval->high) : "", part.examples,
      part.constant ? format("{:.4f}", *part.constant) : "");
}

std::string score_table(const EvaluationReport& report) {
  std::string html =
      "<h2>Scores</h2>\n<p>The blue line is the interval that holds 95 of 100 scores of examples drawn again "
      "from "
      "these. The red mark is what the best constant answer would have.</p>\n<div "
      "class=\"scroll\"><table><thead><tr>"
      "<th>group</th><th>metric</th><th class=\"n\">score</th><th></th><th class=\"n\">interval</th><th "
      "class=\"n\">examples</th><th class=\"n\">constant</th></tr></thead><tbody>\n";
  for (const EvaluatedPart& part : report.scores.metrics) html += score_row(part);
  for (const EvaluatedPart& part : report.scores.groups) html += score_row(part);
  return html + "</tbody></table></div>\n";
}

std::string figures_of(const EvaluationReport& report) {
  std::string html =
      "<h2>All figures</h2>\n<div class=\"scroll\"><table><thead><tr><th>metric</th><th>figure</th><th "
      "class=\"n\"></th></tr></thead><tbody>\n";
  for (const EvaluatedPart& part : report.scores.metrics) {
    for (const auto& [name, value] : part.figures.items()) {
      if (value.is_primitive())
        html += format("<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td></tr>\n", part.metric->name,
                       html_text(name),
                       value.is_number_float() ? figure_text(value.get<double>()) : html_text(value.dump()));
    }
  }
  return html + "</tbody></table></div>\n";
}

std::string shown_answer(const std::string& answer) {
  return answer.empty() ? "(nothing)" : html_text(answer);
}

std::string confusion_of(const std::vector<ConfusionTable>& tables) {
  if (tables.empty()) return {};
  std::string html =
      "<h2>Confusion</h2>\n<p>Rows are right, columns were said.</p>\n<div class=\"tables\">\n";
  for (const ConfusionTable& table : tables) {
    html += "<div class=\"scroll\"><table class=\"confusion\"><caption>" + html_text(table.title) +
            "</caption><thead><tr><th></th>";
    for (const std::string& answer : table.answers) html += "<th>" + shown_answer(answer) + "</th>";
    html += "<th>other</th></tr></thead><tbody>\n";
    for (std::size_t row = 0; row < table.answers.size(); ++row) {
      std::size_t total = 0;
      for (const std::size_t count : table.counts[row]) total += count;
      html += "<tr><th>" + shown_answer(table.answers[row]) + "</th>";
      for (std::size_t column = 0; column < table.counts[row].size(); ++column) {
        const std::size_t count = table.counts[row][column];
        html += format("<td style=\"background:color-mix(in srgb, var({}) {}%, transparent)\">{}</td>",
                       row == column ? "--truth" : "--found", total == 0 ? 0 : 60 * count / total,
                       count == 0 ? "" : std::to_string(count));
      }
      html += "</tr>\n";
    }
    html += "</tbody></table></div>\n";
  }
  return html + "</div>\n";
}

std::string list_of(const EvaluationReport& report) {
  std::string html =
      "<h2>Examples</h2>\n<div class=\"filter\"><input type=\"search\" id=\"words\" placeholder=\"words\" "
      "aria-label=\"words that a line holds\"><label><input type=\"checkbox\" id=\"wrong\"> wrong ones "
      "alone</label>"
      "<span id=\"count\" class=\"note\"></span></div>\n";
  if (report.scores.examples.size() > report.all.size())
    html += format("<p>The first {} of {}; all are in predictions.jsonl.</p>\n", report.all.size(),
                   report.scores.examples.size());
  html +=
      "<div class=\"scroll list\"><table "
      "id=\"list\"><thead><tr><th>id</th><th>asked</th><th>right</th><th>said"
      "</th><th class=\"n\">p</th><th class=\"n\">score</th></tr></thead><tbody>\n";
  for (const ShownExample& example : report.all) {
    const EvaluatedExample& scored = report.scores.examples[example.place];
    const bool wrong = scored.judged ? !scored.right : scored.score.value_or(1) < 1;
    html += format(
        "<tr data-wrong=\"{}\"><td>{}</td><td>{}</td><td>{}</td><td class=\"{}\">{}</td><td class=\"n\">"
        "{:.3f}</td><td class=\"n\">{}</td></tr>\n",
        wrong ? 1 : 0, html_text(example.id), html_text(example.prompt),
        html_text(references_text(example.references)), wrong ? "said" : "right",
        html_text(example.error.empty() ? example.prediction : example.error), example.p,
        example.score ? format("{:.3f}", *example.score) : "");
  }
  return html + "</tbody></table></div>\n";
}

std::string shown_of(const std::string& title, const std::string& about,
                     const std::vector<ShownExample>& examples, const EvaluationSettings& settings) {
  if (examples.empty()) return {};
  return "<h2>" + title + "</h2>\n<p>" + about + "</p>\n" + box_legend(examples) +
         gallery_html(examples, settings);
}

}  // namespace

std::string report_html(const EvaluationReport& report) {
  const EvaluationSettings& settings = report.origin.settings;
  const std::string title = report.model.id + " on " + settings.data.filename().string();
  std::string html =
      page_head(title) + "<h1>" + html_text(title) + "</h1>\n<p>" +
      html_text(format("{} examples, precision {}{}{}", report.scores.examples.size(), report.model.precision,
                       report.adapter.empty() ? "" : ", adapter " + report.adapter,
                       settings.task.empty() ? "" : ", as " + settings.task)) +
      "</p>\n";
  if (!report.model.notice.empty())
    html += "<p class=\"warning\">" + html_text(report.model.notice) + "</p>\n";
  if (report.scores.failed > 0)
    html += format("<p class=\"warning\">{} examples could not be asked and count as empty answers.</p>\n",
                   report.scores.failed);
  html += cards(report) + score_table(report);
  html += shown_of("Wrong, and the model was certain", "Wrong answers of the highest probability.",
                   report.certain_wrong, settings);
  html +=
      shown_of("Lowest scores", "Of equal scores those of the least probability.", report.worst, settings);
  if (!report.judged.empty())
    html += "<h2>Probability and truth</h2>\n<div class=\"plot\">" +
            reliability_svg({{.name = "answers", .before = report.judged, .after = {}}}) + "</div>\n";
  html += confusion_of(report.confusion) + figures_of(report) + list_of(report);
  html += "<footer>" +
          html_text(format("Data: {}, SHA-256 {}. Model: {}{}. Resize {}.", settings.data.string(),
                           report.origin.data_sha256, report.model.id,
                           report.model.sha256.empty() ? "" : ", SHA-256 " + report.model.sha256,
                           name_of(report.model.resize))) +
          "</footer>\n";
  return html + page_end();
}

}  // namespace palisade
