#include "service/transfer/sweep_report.h"

#include <algorithm>

#include "base/format.h"
#include "base/log.h"
#include "service/terminal/progress.h"
#include "service/terminal/svg.h"
#include "service/transfer/run_metric.h"
#include "service/transfer/sweep_settings.h"

namespace palisade {
namespace {

using Cells = std::vector<std::string>;

bool better(const SweepScore& a, const SweepScore& b) {
  if (a.metric != b.metric) return a.metric > b.metric;  // one without is worse
  return a.exact != b.exact ? a.exact > b.exact : a.loss < b.loss;
}

// "vqa acc" where the runs of a sweep have a metric, which is one for all.
std::string metric_title(const std::vector<SweepRun>& runs) {
  const Metric* const metric = runs.empty() ? nullptr : find_metric(runs[0].settings.metric);
  return metric ? title_of(*metric) : "";
}

// A cell of a table stays one.
std::string in_cell(const std::string& text) {
  std::string cell = escaped(text);
  std::ranges::replace(cell, '|', '/');
  return cell;
}

Cells cells_of(const SweepRun& run, const std::vector<std::string>& keys, bool best) {
  Cells cells = {run.name};
  for (const std::string& key : keys) cells.push_back(value_of(run.settings, key));
  if (!run.settings.metric.empty())
    cells.push_back(run.score && run.score->metric ? format("{:.4f}", *run.score->metric) : "-");
  if (run.score) {
    cells.push_back(format("{:.1f} %", 100 * run.score->exact));
    cells.push_back(format("{:.4f}", run.score->loss));
    cells.push_back(position_text(std::chrono::nanoseconds(std::int64_t(1e9 * run.score->seconds))));
  } else {
    cells.insert(cells.end(), 3, "-");
  }
  cells.push_back(best                  ? "best"
                  : run.score           ? ""
                  : run.failure.empty() ? "not finished"
                                        : "failed: " + in_cell(run.failure));
  return cells;
}

}  // namespace

const SweepRun* best_of(const std::vector<SweepRun>& runs) {
  const SweepRun* best = nullptr;
  for (const SweepRun& run : runs) {
    if (run.score && (best == nullptr || better(*run.score, *best->score))) best = &run;
  }
  return best;
}

std::string table_of(const std::vector<SweepRun>& runs, const std::vector<std::string>& keys) {
  const SweepRun* const best = best_of(runs);
  std::vector<Cells> rows = {{"run"}};
  rows[0].insert(rows[0].end(), keys.begin(), keys.end());
  if (const std::string metric = metric_title(runs); !metric.empty()) rows[0].push_back(metric);
  for (const char* title : {"exact", "loss", "time", ""}) rows[0].push_back(title);
  for (const SweepRun& run : runs) rows.push_back(cells_of(run, keys, &run == best));
  std::vector<std::size_t> widths(rows[0].size(), 3);
  for (const Cells& row : rows) {
    for (std::size_t column = 0; column + 1 < row.size(); ++column)
      widths[column] = std::max(widths[column], row[column].size());
  }
  std::string text;
  for (const Cells& row : rows) {
    for (std::size_t column = 0; column < row.size(); ++column)
      text += "| " + row[column] +
              std::string(widths[column] - std::min(widths[column], row[column].size()), ' ') + " ";
    text += "|\n";
    if (&row != &rows[0]) continue;
    for (const std::size_t width : widths) text += "|" + std::string(width + 2, '-');
    text += "|\n";
  }
  return text;
}

std::string picture_of(const std::vector<SweepRun>& runs, const std::vector<std::string>& keys) {
  constexpr double kLetter = 6.4, kRow = 22, kTop = 46, kBar = 300, kScores = 200;
  const SweepRun* const best = best_of(runs);
  std::vector<std::string> labels;
  std::size_t longest = 0;
  for (const SweepRun& run : runs) {
    labels.push_back(run.name);
    for (const std::string& key : keys) labels.back() += "  " + key + " " + value_of(run.settings, key);
    longest = std::max(longest, labels.back().size());
  }
  const std::string metric = metric_title(runs);
  // What a bar shows: the metric, or the share of exact answers in percent.
  const auto value = [&](const SweepScore& score) {
    return metric.empty() ? 100 * score.exact : score.metric.value_or(0);
  };
  double most = metric.empty() ? 100 : 1;
  for (const SweepRun& run : runs) most = std::max(most, run.score ? value(*run.score) : 0);
  const double left = 20 + kLetter * double(longest), bottom = kTop + kRow * double(runs.size());
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"" +
                    attribute("width", std::max(left + kBar + kScores, 500.0)) +
                    attribute("height", bottom + 20) + " font-family=\"sans-serif\" font-size=\"12\">\n" +
                    "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n" +
                    text_at(10, 20,
                            (metric.empty() ? "exact answers of the evaluation (bar, %)"
                                            : metric + " of the evaluation (bar), its exact answers") +
                                std::string(" and its loss; the best is green"));
  for (int quarter = 0; quarter <= 4; ++quarter) {
    const double x = left + kBar * quarter / 4;
    svg += line(x, kTop - 6, x, bottom, "#ddd") +
           text_at(x, kTop - 10, format("{:.4g}", most * quarter / 4), "middle");
  }
  for (std::size_t row = 0; row < runs.size(); ++row) {
    const SweepRun& run = runs[row];
    const double y = kTop + kRow * double(row);
    svg += text_at(left - 8, y + 14, labels[row], "end");
    if (run.score) {
      svg += "<rect" + attribute("x", left) + attribute("y", y + 3) +
             attribute("width", kBar * std::max(value(*run.score), 0.0) / most) +
             attribute("height", kRow - 6) + " fill=\"" + (&run == best ? "#080" : "#8ac") + "\"/>\n" +
             text_at(left + kBar + 8, y + 14,
                     (metric.empty() ? "" : format("{:.4f}, ", value(*run.score))) +
                         format("{:.1f} %, loss {:.4f}", 100 * run.score->exact, run.score->loss));
    } else {
      svg += text_at(left + 8, y + 14, run.failure.empty() ? "not finished" : "failed");
    }
  }
  return svg + "</svg>\n";
}

Json json_of(const std::vector<SweepRun>& runs, const std::vector<std::string>& keys) {
  const SweepRun* const best = best_of(runs);
  Json list = Json::array();
  for (const SweepRun& run : runs) {
    Json values = Json::object();
    for (const std::string& key : keys) values[key] = value_of(run.settings, key);
    Json json = {{"run", run.name}, {"values", std::move(values)}};
    if (run.score) {
      if (run.score->metric) json["metric"] = *run.score->metric;
      json["exact"] = run.score->exact;
      json["loss"] = run.score->loss;
      json["seconds"] = run.score->seconds;
    }
    if (!run.failure.empty()) json["failure"] = run.failure;
    list.push_back(std::move(json));
  }
  return {{"best", best ? Json(best->name) : Json()}, {"runs", std::move(list)}};
}

}  // namespace palisade
