#include "service/evaluation/evaluation_lines.h"

#include <unordered_map>

#include "base/error.h"
#include "base/format.h"
#include "base/random.h"
#include "service/transfer/input_files.h"

namespace palisade {
namespace {

// An optional text of a line.
std::string word_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return {};
  if (!found->is_string() || found->get_ref<const std::string&>().empty())
    throw Error(format("\"{}\" is {}; give it a name in quotes, or leave it out", key,
                       found->is_string() ? "empty" : found->type_name()));
  return found->get<std::string>();
}

std::string id_text(const Json& id) {
  if (id.is_string() && !id.get_ref<const std::string&>().empty()) return id.get<std::string>();
  if (id.is_number_integer()) return id.dump();
  throw Error(format("\"id\" is {}; an id is a text or a whole number",
                     id.is_string() ? "an empty text" : id.type_name()));
}

std::string line_alone(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  return first == text.npos ? "" : text.substr(first, text.find_last_not_of(" \t\r") + 1 - first);
}

}  // namespace

bool EvaluationLineReader::next(EvaluationLine& line) {
  while (lines_.next(line.line)) {
    try {
      line.json = parse_json(line_alone(line.line.text), line.place());
      if (!line.json.contains("id")) {
        const std::string name = format("#{:016x}", hash_of(line_alone(line.line.text)));
        const int seen = nameless_[name]++;
        line.json["id"] = seen == 0 ? name : format("{}-{}", name, seen + 1);
      }
      line.id = id_text(line.json["id"]);
      line.metric = word_at(line.json, "metric");
      line.group = word_at(line.json, "group");
      return true;
    } catch (const Error& problem) {
      const std::string text = problem.what();
      problems_.add(line.line.number, text.starts_with(line.place()) ? text : line.place() + ": " + text);
    }
  }
  return false;
}

EvaluationData look_through(const std::filesystem::path& file,
                            const std::function<void(const EvaluationLine&)>& look,
                            const EvaluationLineReader::TakeCategories& categories) {
  LineProblems problems;
  EvaluationData found{.lines = 0, .sha256 = sha256_of(file)};
  std::unordered_map<std::string, int> numbers;
  EvaluationLineReader reader(file, problems, categories);
  for (EvaluationLine line; reader.next(line); ++found.lines) {
    try {
      const auto [known, added] = numbers.try_emplace(line.id, line.line.number);
      if (!added)
        throw Error(
            format("the id {} is line {}'s already; give each example its own", line.id, known->second));
      look(line);
    } catch (const Error& problem) {
      problems.add(line.line.number, line.place() + ": " + problem.what());
    }
  }
  if (problems.empty() && found.lines == 0) problems.add(0, file.string() + ": holds no example");
  require_none(problems);
  return found;
}

}  // namespace palisade
