#include "tasks/answer_type.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/error.h"
#include "base/format.h"
#include "tasks/prompt.h"

namespace palisade {
namespace {

constexpr std::string_view kNumberWords[] = {
    "zero",     "one",     "two",     "three",     "four",     "five",     "six",
    "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",   "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"};
static_assert(std::size(kNumberWords) == AnswerType::kMostCount + 1);

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
}

char upper(char c) {
  return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c;
}

std::string lower_cased(std::string text) {
  std::ranges::transform(text, text.begin(), lower);
  return text;
}

// As it is written, in lower case, with a capital and in capitals; each once.
std::vector<std::string> cases_of(const std::string& text) {
  std::string capital = lower_cased(text), capitals = text;
  if (!capital.empty()) capital[0] = upper(capital[0]);
  std::ranges::transform(capitals, capitals.begin(), upper);
  std::vector<std::string> cases;
  for (const std::string& one : {text, lower_cased(text), capital, capitals}) {
    if (std::ranges::find(cases, one) == cases.end()) cases.push_back(one);
  }
  return cases;
}

std::vector<std::string> texts_of(const AnswerType& type) {
  if (type.kind == AnswerType::Kind::kYesNo) return {"yes", "no"};
  if (type.kind == AnswerType::Kind::kChoice) return type.choices;
  std::vector<std::string> texts;
  for (int number = 0; number <= type.most; ++number) texts.push_back(format("{}", number));
  return texts;
}

std::optional<AnswerType> count_of(std::string_view most) {
  AnswerType type{.kind = AnswerType::Kind::kCount};
  const auto [end, error] = std::from_chars(most.data(), most.data() + most.size(), type.most);
  const bool whole = error == std::errc() && end == most.data() + most.size();
  if (!whole || type.most < 1 || type.most > AnswerType::kMostCount) return std::nullopt;
  return type;
}

std::optional<AnswerType> choice_of(std::string_view texts) {
  AnswerType type{.kind = AnswerType::Kind::kChoice};
  while (true) {
    const std::size_t comma = texts.find(',');
    type.choices.push_back(std::string(texts.substr(0, comma)));
    if (comma == texts.npos) return type;
    texts.remove_prefix(comma + 1);
  }
}

}  // namespace

std::optional<AnswerType> answer_type_of(std::string_view text) {
  if (text == "text") return AnswerType{};
  if (text == "yes_no") return AnswerType{.kind = AnswerType::Kind::kYesNo};
  if (text == "count") return AnswerType{.kind = AnswerType::Kind::kCount};
  constexpr std::string_view kCount = "count:", kChoice = "choice:";
  if (text.starts_with(kCount)) return count_of(text.substr(kCount.size()));
  if (text.starts_with(kChoice)) return choice_of(text.substr(kChoice.size()));
  return std::nullopt;
}

std::string_view name_of(AnswerType::Kind kind) {
  switch (kind) {
    case AnswerType::Kind::kText:
      return "text";
    case AnswerType::Kind::kYesNo:
      return "yes_no";
    case AnswerType::Kind::kCount:
      return "count";
    case AnswerType::Kind::kChoice:
      return "choice";
  }
  return "";
}

std::optional<std::string> fault_of(const AnswerType& type) {
  if (type.kind != AnswerType::Kind::kChoice) return std::nullopt;
  std::set<std::string> seen;
  for (const std::string& choice : type.choices) {
    const PlainText plain = plain_text(choice);
    if (!plain.fault.empty()) return format("a choice {}", plain.fault);
    if (plain.text.empty()) return "a choice is blank; give texts such as red and blue";
    if (!seen.insert(lower_cased(plain.text)).second)
      return format("the choice \"{}\" is there twice; give choices that differ in more than case", choice);
  }
  if (seen.size() < 2) return "a choice is between two texts or more, such as red and blue";
  return method_fault(method_of(type));
}

DecodingMethod method_of(const AnswerType& type) {
  if (type.kind == AnswerType::Kind::kText) return Greedy{};
  SpelledChoices choices;
  for (const std::string& written : texts_of(type)) {
    const std::string text = plain_text(written).text;
    SpelledChoice& choice = choices.choices.emplace_back(SpelledChoice{.text = text});
    if (type.kind == AnswerType::Kind::kCount) {
      choice.spellings = cases_of(std::string(kNumberWords[choices.choices.size() - 1]));
      choice.spellings.push_back(text);
    } else {
      choice.spellings = cases_of(text);
    }
  }
  return choices;
}

Json value_of(const AnswerType& type, const std::string& text) {
  if (type.kind == AnswerType::Kind::kYesNo) return text == "yes";
  if (type.kind != AnswerType::Kind::kCount) return text;
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

AnswerType answer_type_of_event(const std::string& name, const Json& choices) {
  AnswerType type;
  if (name == "count") {
    type = {.kind = AnswerType::Kind::kCount, .most = int(choices.size()) - 1};
    if (type.most < 1 || type.most > AnswerType::kMostCount)
      throw Error(format("an event of {} counts", choices.size()));
  } else if (name == "choice") {
    type.kind = AnswerType::Kind::kChoice;
    for (const Json& choice : choices) type.choices.push_back(choice.at("text").get<std::string>());
  } else if (const auto known = answer_type_of(name)) {
    type = *known;
  } else {
    throw Error(format("an answer is of the type '{}', which this Palisade does not know", name));
  }
  return type;
}

}  // namespace palisade
