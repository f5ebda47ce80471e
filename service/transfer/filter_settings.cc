#include "base/json.h"
#include "service/settings/settings.h"
#include "service/settings/settings_reader.h"
#include "service/transfer/data_filter.h"
#include "tasks/filters/personal_data.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxListBytes = 1u << 20;

void read_words(SettingsReader& reader, const fs::path& folder, TextPatterns& text) {
  for (const YamlNode* const item : reader.texts("words")) {
    const fs::path file = folder / item->text;
    try {
      text.add_words("words: " + item->text, words_of(read_text_file(file, kMaxListBytes), file.string()));
    } catch (const Error& error) {
      reader.problem_at(*item, error.what());
    }
  }
}

void read_patterns(SettingsReader& reader, TextPatterns& text, std::vector<Problem>& problems) {
  const YamlNode* const patterns = reader.find("patterns");
  if (patterns == nullptr) return;
  SettingsReader each(*patterns, "patterns", problems);
  for (const YamlNode::Entry& entry : patterns->entries) {
    std::string expression;
    if (!each.read(entry.key, expression)) continue;
    try {
      text.add("patterns: " + entry.key, expression);
    } catch (const PatternError& error) {
      each.problem(entry.key, error.what());
    }
  }
}

}  // namespace

FilterSettings read_filters(std::string_view text, const fs::path& file) {
  FilterSettings filters;
  std::vector<Problem> problems;
  const YamlNode root = read_yaml(text, problems);
  if (problems.empty()) {
    SettingsReader reader(root, "a filter", problems);
    read_words(reader, file.parent_path(), filters.text);
    for (const std::string& kind : reader.names("personal_data", personal_data_kinds()))
      add_personal_data(filters.text, "personal_data: " + kind, kind);
    read_patterns(reader, filters.text, problems);
    reader.read("least_side", filters.least_side, 1, 16'384);
    reader.read("most_side", filters.most_side, 1, 16'384);
    if (filters.most_side > 0 && filters.most_side < filters.least_side)
      reader.problem("most_side", "most_side is less than least_side: every picture would go");
    reader.read("most_aspect", filters.most_aspect, 1, 16'384);
    for (const std::string& name : reader.names("duplicates", {"examples", "pictures"}))
      (name == "examples" ? filters.same_examples : filters.same_pictures) = true;
    reader.finish();
  }
  if (!problems.empty()) throw SettingsError(problem_lines(std::move(problems), file.string()));
  return filters;
}

}  // namespace palisade
