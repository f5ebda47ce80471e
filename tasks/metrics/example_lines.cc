#include "tasks/metrics/example_lines.h"

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/format.h"

namespace palisade {
namespace {

constexpr double kMostNumber = 1e12;

const std::string& text_in(const Json& value, const std::string& name) {
  if (!value.is_string())
    throw Error(format("\"{}\" is {}, not text: put it in quotes", name, value.type_name()));
  return value.get_ref<const std::string&>();
}

}  // namespace

bool given(const Json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && !found->is_null();
}

std::string text_of_line(const Json& line, const char* key) {
  if (!given(line, key)) throw Error(format("\"{}\" is missing", key));
  return text_in(line.at(key), key);
}

std::string text_of_line_or(const Json& line, const char* key, const std::string& otherwise) {
  return given(line, key) ? text_in(line.at(key), key) : otherwise;
}

std::int64_t whole_number_of_line(const Json& line, const char* key, std::int64_t least, std::int64_t most) {
  if (!given(line, key)) throw Error(format("\"{}\" is missing", key));
  const Json& value = line.at(key);
  // JSON's unsigned numbers that do not fit become negative, and numbers beyond 64 bits floating.
  if (!value.is_number_integer() || value.get<std::int64_t>() < least || value.get<std::int64_t>() > most ||
      (value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t(most)))
    throw Error(format("\"{}\" is no whole number from {} to {}", key, least, most));
  return value.get<std::int64_t>();
}

double json_number_of(const Json& value, const std::string& name) {
  if (!value.is_number()) throw Error(format("\"{}\" holds {}, not a number", name, value.type_name()));
  const double number = value.get<double>();
  if (!std::isfinite(number) || std::abs(number) > kMostNumber)
    throw Error(format("\"{}\" holds a number too large: at most {}", name, kMostNumber));
  return number;
}

std::array<double, 4> four_numbers_of(const Json& value, const std::string& name) {
  if (!value.is_array() || value.size() != 4) throw Error(format("\"{}\" is no list of four numbers", name));
  return {json_number_of(value[0], name), json_number_of(value[1], name), json_number_of(value[2], name),
          json_number_of(value[3], name)};
}

void read_answers(const Json& line, ExampleReferences& references) {
  references.unanswered = true;
  bool named = false;
  for (const char* const key : {"answers", "references", "direct_answers"}) {
    named = named || line.contains(key);
    if (!given(line, key)) continue;
    const Json& list = line.at(key);
    if (!list.is_array())
      throw Error(format("\"{}\" is {}, not a list of texts{}", key, list.type_name(),
                         list.is_string() ? ": one text is an \"answer\"" : ""));
    references.listed = true;
    for (const Json& answer : list) references.answers.push_back(text_in(answer, key));
    references.unanswered = list.empty();
    return;
  }
  for (const char* const key : {"answer", "target", "suffix"}) {
    named = named || line.contains(key);
    if (!given(line, key)) continue;
    references.answers = {text_in(line.at(key), key)};
    references.unanswered = false;
    return;
  }
  if (!named)
    throw Error("no references: \"answer\" or \"answers\" is missing; a test set has \"answers\": []");
}

}  // namespace palisade
