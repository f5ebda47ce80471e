#include "service/transfer/data_report.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/format.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShownPlaces = 5, kShownAnswers = 5;
constexpr std::size_t kMostShownText = 60;

std::string fact(const char* name, const std::string& value) {
  return format("{:<16} {}\n", name, value);
}

// "12 name" or "12 names"
std::string counted(std::size_t count, const std::string& one, const std::string& several = {}) {
  return format("{} {}", count, count == 1 ? one : several.empty() ? one + "s" : several);
}

std::string text_of(const NumberSpread& spread) {
  return format("{} to {}, median {}, 95 % up to {}", spread.least, spread.most, spread.median,
                spread.most_of_95);
}

// Cut where a character begins.
std::string shortened(const std::string& text) {
  if (text.size() <= kMostShownText) return text;
  std::size_t end = kMostShownText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

std::string places_text(const FoundPlaces& found) {
  std::string text;
  for (std::size_t i = 0; i < std::min(kShownPlaces, found.first.size()); ++i) {
    const SameLines& one = found.first[i];
    text += "                   " + one.place + (one.earlier.empty() ? "" : " as " + one.earlier) + "\n";
  }
  return text;
}

std::string found_text(const char* name, const FoundPlaces& found, const std::string& about) {
  if (found.count == 0) return {};
  return fact(name, counted(found.count, "line") + " " + about) + places_text(found);
}

using Counted = std::vector<std::pair<std::string, std::size_t>>;

// The most frequent first.
Counted commonest(const std::map<std::string, std::size_t>& counts, std::size_t most) {
  Counted all(counts.begin(), counts.end());
  std::ranges::stable_sort(all, std::greater(), &Counted::value_type::second);
  if (all.size() > most) all.resize(most);
  return all;
}

std::string shares_text(const std::map<std::string, std::size_t>& counts, std::size_t most,
                        std::size_t lines) {
  std::string text;
  for (const auto& [name, count] : commonest(counts, most))
    text += format("{}\"{}\" {:.1f} %", text.empty() ? "" : ", ", shortened(name),
                   100 * double(count) / double(lines));
  return text;
}

std::size_t distinct_contents(const CheckedData& data) {
  std::set<std::string> contents;
  for (const auto& [file, content] : data.contents) contents.insert(content.sha256);
  return contents.size();
}

std::string sizes_text(const CheckedData& data) {
  std::vector<std::pair<int, int>> sizes;
  for (const auto& [file, content] : data.contents) sizes.emplace_back(content.width, content.height);
  std::ranges::sort(sizes, {}, [](const auto& size) { return std::int64_t(size.first) * size.second; });
  const auto size_text = [](const auto& size) { return format("{} x {}", size.first, size.second); };
  return size_text(sizes.front()) + " to " + size_text(sizes.back()) + ", median " +
         size_text(sizes[(sizes.size() - 1) / 2]);
}

Json places_json(const FoundPlaces& found) {
  Json places = Json::array();
  for (const SameLines& one : found.first) {
    Json place = {{"place", one.place}};
    if (!one.earlier.empty()) place["earlier"] = one.earlier;
    places.push_back(std::move(place));
  }
  return {{"lines", found.count}, {"first", std::move(places)}};
}

Json spread_json(const NumberSpread& spread) {
  return {
      {"least", spread.least}, {"median", spread.median}, {"p95", spread.most_of_95}, {"most", spread.most}};
}

}  // namespace

std::string data_text(const CheckedData& data, int text_length) {
  std::string text = data.file.string() + "\n";
  text +=
      fact("lines",
           counted(data.lines.size(), "example") +
               (data.problems.empty() ? "" : format(", {} that a transfer refuses", data.problems.size())));
  std::size_t told = 0;
  for (const auto& [line, problem] : data.problems.kept()) {
    if (++told <= kShownPlaces) text += "                   " + problem + "\n";
  }
  text += fact("pictures", counted(data.contents.size() + data.unreadable.size(), "file") +
                               format(", {} of them films; {} different by content", data.films,
                                      distinct_contents(data)));
  if (!data.contents.empty()) text += fact("sizes", sizes_text(data));
  text += found_text("missing", data.missing, "with a picture or film that is not there");
  text += found_text("broken", data.broken, "with a picture or film that cannot be read");
  if (data.lines.empty()) return text;
  text += fact("prefix", text_of(data.prefix) + " tokens");
  text += fact("suffix", text_of(data.suffix) + " tokens");
  text += fact("together", text_of(data.text) + format(" tokens; text_length is {}", text_length));
  text += found_text("too long", data.too_long, "over a limit");
  text += fact("tasks", shares_text(data.tasks, data.tasks.size(), data.lines.size()));
  text += fact("answers", counted(data.suffixes.size(), "different one") + ": " +
                              shares_text(data.suffixes, kShownAnswers, data.lines.size()));
  text += found_text("empty", data.empty, "without an answer, which only allow_empty_suffix takes");
  text += found_text("repeated", data.repeated, "with pictures, prefix and suffix of an earlier one");
  text += found_text("contradicting", data.contradicting,
                     "with another suffix than an earlier one has for the same");
  text += found_text("renamed", data.renamed, "whose pictures an earlier one has under other names");
  return text;
}

std::string leaks_text(const DataLeaks& leaks, const CheckedData& first, const CheckedData& second) {
  std::string text = "from " + first.file.string() + " into " + second.file.string() + "\n";
  if (leaks.pictures.count == 0) return text + fact("leaks", "none");
  text += found_text("pictures", leaks.pictures, "with pictures that the other has");
  text += found_text("questions", leaks.questions, "with the same question about them");
  text += found_text("examples", leaks.examples, "with the same answer too");
  return text;
}

Json data_json(const CheckedData& data) {
  Json answers = Json::array();
  for (const auto& [answer, count] : commonest(data.suffixes, 20))
    answers.push_back({{"suffix", answer}, {"lines", count}});
  Json problems = Json::array();
  for (const auto& [line, problem] : data.problems.kept()) problems.push_back(problem);
  return {{"file", data.file.string()},
          {"usable", data.usable()},
          {"examples", data.lines.size()},
          {"refused", data.problems.size()},
          {"problems", std::move(problems)},
          {"files", data.contents.size() + data.unreadable.size()},
          {"films", data.films},
          {"different", distinct_contents(data)},
          {"prefix_tokens", spread_json(data.prefix)},
          {"suffix_tokens", spread_json(data.suffix)},
          {"text_tokens", spread_json(data.text)},
          {"tasks", data.tasks},
          {"different_answers", data.suffixes.size()},
          {"answers", std::move(answers)},
          {"missing", places_json(data.missing)},
          {"broken", places_json(data.broken)},
          {"too_long", places_json(data.too_long)},
          {"empty", places_json(data.empty)},
          {"repeated", places_json(data.repeated)},
          {"contradicting", places_json(data.contradicting)},
          {"renamed", places_json(data.renamed)}};
}

Json leaks_json(const DataLeaks& leaks) {
  return {{"pictures", places_json(leaks.pictures)},
          {"questions", places_json(leaks.questions)},
          {"examples", places_json(leaks.examples)}};
}

}  // namespace palisade
