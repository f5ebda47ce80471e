#include <algorithm>

#include "base/format.h"
#include "base/log.h"
#include "service/evaluation/evaluation_report.h"

namespace palisade {
namespace {

// A cell of a table stays one.
std::string cell_text(const std::string& text) {
  std::string cell = escaped(text);
  std::ranges::replace(cell, '|', '/');
  return cell;
}

std::string score_cell(const EvaluatedPart& part) {
  return part.main ? figure_text(*part.main) : "not defined";
}

std::string interval_cell(const EvaluatedPart& part) {
  return part.interval ? format("{:.4f} to {:.4f}", part.interval->low, part.interval->high) : "";
}

std::string part_row(const EvaluatedPart& part) {
  return format("| {} | {} | {} | {} | {} | {} |\n", part.group.empty() ? "all" : cell_text(part.group),
                part.metric->name, std::string(part.metric->main_figure) + " " + score_cell(part),
                interval_cell(part), part.examples, part.constant ? format("{:.4f}", *part.constant) : "");
}

std::string figures_of(const EvaluatedPart& part) {
  std::string text;
  for (const auto& [name, value] : part.figures.items()) {
    if (value.is_primitive())
      text += format("| {} | {} | {} |\n", part.metric->name, cell_text(name),
                     value.is_number_float() ? figure_text(value.get<double>()) : value.dump());
  }
  return text;
}

std::string list_of(const std::string& title, const std::vector<ShownExample>& examples) {
  if (examples.empty()) return {};
  std::string text =
      "\n## " + title + "\n\n| id | prompt | right | said | score | p |\n|---|---|---|---|---|---|\n";
  for (const ShownExample& example : examples) {
    std::string right;
    for (const std::string& reference : example.references) {
      if (right.size() > 200) break;
      right += (right.empty() ? "" : " / ") + cell_text(reference);
    }
    text += format("| {} | {} | {} | {} | {} | {:.3f} |\n", cell_text(example.id), cell_text(example.prompt),
                   right, cell_text(example.prediction), example.score ? figure_text(*example.score) : "",
                   example.p);
  }
  return text;
}

std::string table_of(const ConfusionTable& table) {
  std::string text = "\n" + cell_text(table.title) + ": rows are right, columns were said.\n\n| |",
              line = "|---|";
  for (const std::string& answer : table.answers) text += " " + cell_text(answer) + " |", line += "---|";
  text += " other |\n" + line + "---|\n";
  for (std::size_t row = 0; row < table.answers.size(); ++row) {
    text += "| " + cell_text(table.answers[row]) + " |";
    for (const std::size_t count : table.counts[row]) text += format(" {} |", count);
    text += "\n";
  }
  return text;
}

}  // namespace

std::string report_markdown(const EvaluationReport& report) {
  const EvaluationSettings& settings = report.origin.settings;
  std::string text =
      format("# {} on {}\n\n", cell_text(report.model.id), cell_text(settings.data.filename().string()));
  text += format("{} examples, precision {}{}{}.\n", report.scores.examples.size(), report.model.precision,
                 report.adapter.empty() ? "" : ", adapter " + cell_text(report.adapter),
                 settings.task.empty() ? "" : ", as " + cell_text(settings.task));
  if (!report.model.notice.empty()) text += "\n" + cell_text(report.model.notice) + "\n";
  if (report.scores.failed > 0)
    text += format(
        "\n**{} examples could not be asked and count as empty answers** (\"error\" in predictions.jsonl).\n",
        report.scores.failed);
  text +=
      "\n## Scores\n\nThe interval holds 95 of 100 scores of examples drawn again from these.\n\n"
      "| group | metric | score | interval | examples | best constant answer |\n|---|---|---|---|---|---|\n";
  for (const EvaluatedPart& part : report.scores.metrics) text += part_row(part);
  for (const EvaluatedPart& part : report.scores.groups) text += part_row(part);
  if (report.published) {
    text +=
        format("\nPublished for {}: {}.\n", cell_text(settings.task), cell_text(report.published->published));
    for (const ComparedFigure& figure : compared_figures(report))
      text += format("\n- {}: published {}, here {}\n", figure.name,
                     figure.published ? format("{:.2f}", *figure.published) : "as above",
                     figure.reproduced ? format("{:.2f}", *figure.reproduced) : "not defined");
  }
  text += "\n## Figures\n\n| metric | figure | |\n|---|---|---|\n";
  for (const EvaluatedPart& part : report.scores.metrics) text += figures_of(part);
  if (!report.judged.empty())
    text += format(
        "\nCalibration error {:.4f} of {} answers: how far probability and share of right answers are "
        "apart.\n",
        calibration_error(report.judged), report.judged.size());
  text += list_of("Wrong, and the model was certain", report.certain_wrong);
  text += list_of("Lowest scores", report.worst);
  if (!report.confusion.empty()) text += "\n## Confusion\n";
  for (const ConfusionTable& table : report.confusion) text += table_of(table);
  if (report.speed.seconds > 0)
    text += format("\n## Speed\n\n{:.1f} examples/s, {:.0f} tokens/s; {} pictures encoded; {:.1f} s.\n",
                   double(report.scores.examples.size()) / report.speed.seconds,
                   double(report.speed.tokens) / report.speed.seconds, report.speed.images_encoded,
                   report.speed.seconds);
  return text;
}

}  // namespace palisade
