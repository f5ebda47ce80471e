#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/decoding/decoding.h"

namespace palisade {

// What a question is answered with: any text, yes or no, a number from 0 to `most`, or one of a few texts.
// All but text are scored as choices in all their spellings, in the prefill.
struct AnswerType {
  enum class Kind { kText, kYesNo, kCount, kChoice };
  static constexpr int kMostCount = 20;  // whose word is known

  Kind kind = Kind::kText;
  int most = 9;                      // of a count
  std::vector<std::string> choices;  // of a choice

  bool operator==(const AnswerType&) const = default;
};

// "yes_no", "count" (to 9), "count:20", "choice:red,blue", "text". Nothing for any other text.
std::optional<AnswerType> answer_type_of(std::string_view text);
inline constexpr std::string_view kAnswerTypes = "text, yes_no, count:N (0 to N, at most 20) or choice:A,B";
std::string_view name_of(AnswerType::Kind kind);

// Why it cannot be asked, or nothing: a choice without texts, or two that differ in case alone.
std::optional<std::string> fault_of(const AnswerType& type);

// How it is decoded; greedily where it is any text.
DecodingMethod method_of(const AnswerType& type);

// What the text of a choice stands for: true or false, a number, the text itself.
Json value_of(const AnswerType& type, const std::string& text);

// The type of an event's answer: "answer_type", and the texts of "choices". Throws Error.
AnswerType answer_type_of_event(const std::string& name, const Json& choices);

}  // namespace palisade
