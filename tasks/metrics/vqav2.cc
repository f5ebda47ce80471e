#include "tasks/metrics/vqav2.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

#include "base/error.h"
#include "base/format.h"
#include "base/joined.h"
#include "tasks/metrics/example_lines.h"
#include "tasks/metrics/mean.h"
#include "tasks/metrics/python_text.h"
#include "tasks/metrics/table_lines.h"
#include "tasks/metrics/tables.h"

namespace palisade {
namespace {

constexpr std::u32string_view kMarks = U";/[]\"{}()=+\\_-><@`,?!";
constexpr int kOfficialStops = 32;  // the script passes re.UNICODE, which is 32, as the count
constexpr std::size_t kAnswers = 10;
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kVqaTypes = {
    {{"yes/no", "yesno"}, {"number", "number"}, {"other", "other"}}};

const std::map<std::string, std::string, std::less<>>& replaced_words() {
  static const auto kWords = [] {
    std::map<std::string, std::string, std::less<>> words;
    for_each_table_line(vqav2_words_table(),
                        [&](const std::vector<std::string_view>& line) { words.emplace(line[0], line[1]); });
    return words;
  }();
  return kWords;
}

bool digit_at(std::u32string_view text, std::size_t at) {
  return at < text.size() && decimal_digit(text[at]).has_value();
}

bool has_comma_between_digits(std::u32string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == U',' && digit_at(text, i - 1) && digit_at(text, i + 1)) return true;
  }
  return false;
}

bool stands_at_space(std::u32string_view text, char32_t mark) {
  const char32_t before[] = {U' ', mark};
  const char32_t after[] = {mark, U' '};
  return text.find(std::u32string_view(before, 2)) != std::u32string_view::npos ||
         text.find(std::u32string_view(after, 2)) != std::u32string_view::npos;
}

std::u32string without_marks(std::u32string_view text) {
  const bool comma = has_comma_between_digits(text);
  std::map<char32_t, bool> deleted;
  for (const char32_t mark : kMarks) deleted[mark] = comma || stands_at_space(text, mark);
  std::u32string plain;
  for (const char32_t point : text) {
    const auto found = deleted.find(point);
    if (found == deleted.end()) {
      plain += point;
    } else if (!found->second) {
      plain += U' ';
    }
  }
  return plain;
}

std::u32string without_stops(std::u32string_view text, bool official) {
  std::u32string plain;
  int removed = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool goes = text[i] == U'.' && !digit_at(text, i + 1) && (!official || removed < kOfficialStops);
    removed += goes;
    if (!goes) plain += text[i];
  }
  return plain;
}

struct ComparedTexts {
  std::string prediction;
  std::vector<std::string> answers;
  bool changed = false;  // an answer differs from the stripped one
};

ComparedTexts compared(const MetricExample& example, bool official) {
  ComparedTexts texts{.prediction = vqav2_stripped(example.prediction.text)};
  for (const std::string& answer : example.references.answers)
    texts.answers.push_back(vqav2_stripped(answer));
  if (std::set(texts.answers.begin(), texts.answers.end()).size() < 2) return texts;
  texts.prediction = vqav2_processed(texts.prediction, official);
  for (std::string& answer : texts.answers) {
    std::string processed = vqav2_processed(answer, official);
    texts.changed = texts.changed || processed != answer;
    answer = std::move(processed);
  }
  return texts;
}

// The mean over the first `left_out` answers of min(1, matches among the others / 3).
double accuracy(const ComparedTexts& texts, std::size_t left_out) {
  const auto matches = int(std::ranges::count(texts.answers, texts.prediction));
  Mean mean;
  for (std::size_t i = 0; i < left_out; ++i)
    mean.add(std::min(1.0, double(matches - int(texts.answers[i] == texts.prediction)) / 3));
  return mean.value();
}

double rounded_percent(double share) {
  const std::string text = format("{:.2f}", 100 * share);
  double percent = 0;
  std::from_chars(text.data(), text.data() + text.size(), percent);
  return percent;
}

ExampleScore score_of(const MetricExample& example) {
  ExampleScore score{.scores = {{"acc", nullptr}, {"official_acc", nullptr}}};
  const std::size_t count = example.references.answers.size();
  const ComparedTexts texts = compared(example, false);
  score.details = {{"as_compared", texts.prediction}, {"answers_as_compared", nullptr}};
  if (count == 0) return score;
  if (count >= kAnswers) score.scores["acc"] = accuracy(texts, kAnswers);
  score.scores["official_acc"] = accuracy(compared(example, true), count);
  score.details["answers_as_compared"] = texts.changed ? Json(texts.answers) : Json("stripped");
  return score;
}

// Means of a score over all and by the kinds of examples.
struct GroupedMeans {
  Mean all;
  std::map<std::string, Mean> by_answer_type, by_question_type;

  void add(const Json& score, const ExampleReferences& references) {
    if (!score.is_number()) return;
    all.add(score.get<double>());
    if (!references.answer_type.empty()) by_answer_type[references.answer_type].add(score.get<double>());
    if (!references.question_type.empty())
      by_question_type[references.question_type].add(score.get<double>());
  }
};

Json rounded(const std::map<std::string, Mean>& means) {
  Json percents = Json::object();
  for (const auto& [name, mean] : means) percents[name] = rounded_percent(mean.value());
  return percents;
}

}  // namespace

std::string vqav2_stripped(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '\n', ' ');
  std::ranges::replace(spaced, '\t', ' ');
  return stripped(spaced);
}

std::string vqav2_processed(std::string_view text, bool official) {
  const std::u32string plain = without_stops(without_marks(code_points_of(text)), official);
  std::vector<std::string> words;
  for (std::string& word : words_at_spaces(python_lower(utf8_of(plain)))) {
    if (word == "a" || word == "an" || word == "the") continue;
    const auto found = replaced_words().find(word);
    words.push_back(found == replaced_words().end() ? std::move(word) : found->second);
  }
  return joined(words, " ");
}

void read_vqav2(const Json& line, const MetricSettings&, ExampleReferences& references) {
  read_answers(line, references);
  references.answer_type = text_of_line_or(line, "answer_type", "");
  references.question_type = text_of_line_or(line, "question_type", "");
  const auto known = [&](const auto& type) { return type.first == references.answer_type; };
  if (!references.answer_type.empty() && std::ranges::none_of(kVqaTypes, known))
    throw Error(format("\"answer_type\" is \"{}\", not yes/no, number or other", references.answer_type));
}

MetricResult score_vqav2(std::span<const MetricExample> examples, const MetricSettings&) {
  MetricResult result;
  GroupedMeans means, official;
  for (const MetricExample& example : examples) {
    const Json& scores = result.examples.emplace_back(score_of(example)).scores;
    means.add(scores.at("acc"), example.references);
    official.add(scores.at("official_acc"), example.references);
  }
  means.all.tell(result.figures, "acc");
  for (const auto& [type, name] : kVqaTypes) {
    const auto found = means.by_answer_type.find(std::string(type));
    if (found == means.by_answer_type.end()) continue;
    result.figures["acc/" + std::string(name)] = found->second.value();
    result.figures["num/" + std::string(name)] = double(found->second.count());
  }
  result.figures["num"] = double(examples.size());
  if (official.all.count() > 0) {
    result.official = {{"overall", rounded_percent(official.all.value())},
                       {"perQuestionType", rounded(official.by_question_type)},
                       {"perAnswerType", rounded(official.by_answer_type)}};
  }
  return result;
}

}  // namespace palisade
