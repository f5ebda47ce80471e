#include <algorithm>

#include "base/json.h"
#include "service/settings/settings.h"
#include "service/settings/settings_reader.h"
#include "service/transfer/data_filter.h"
#include "tasks/filters/personal_data.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxListBytes = 1u << 20;

// The texts of a list; other entries are problems.
std::vector<const YamlNode*> texts_of(SettingsReader& reader, const char* key) {
  std::vector<const YamlNode*> texts;
  const std::vector<YamlNode>* const list = reader.list(key);
  if (list == nullptr) return texts;
  for (const YamlNode& item : *list) {
    if (item.kind == YamlNode::Kind::kScalar) {
      texts.push_back(&item);
    } else {
      reader.problem_at(item, std::string(key) + " lists text, not " + std::string(name_of(item.kind)));
    }
  }
  return texts;
}

void read_words(SettingsReader& reader, const fs::path& folder, TextPatterns& text) {
  for (const YamlNode* const item : texts_of(reader, "words")) {
    const fs::path file = folder / item->text;
    try {
      text.add_words("words: " + item->text, words_of(read_text_file(file, kMaxListBytes), file.string()));
    } catch (const Error& error) {
      reader.problem_at(*item, error.what());
    }
  }
}

std::string listed(const std::vector<std::string_view>& names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

// Calls `chosen` for each name of a list; unknown names are problems.
template <typename Chosen>
void read_names(SettingsReader& reader, const char* key, const std::vector<std::string_view>& known,
                Chosen chosen) {
  for (const YamlNode* const item : texts_of(reader, key)) {
    if (std::ranges::find(known, item->text) != known.end()) {
      chosen(item->text);
    } else {
      reader.problem_at(*item, std::string(key) + " are of " + listed(known) + ", not '" + item->text + "'");
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
    read_names(reader, "personal_data", personal_data_kinds(), [&](const std::string& kind) {
      add_personal_data(filters.text, "personal_data: " + kind, kind);
    });
    read_patterns(reader, filters.text, problems);
    reader.read("least_side", filters.least_side, 1, 16'384);
    reader.read("most_side", filters.most_side, 1, 16'384);
    if (filters.most_side > 0 && filters.most_side < filters.least_side)
      reader.problem("most_side", "most_side is less than least_side: every picture would go");
    reader.read("most_aspect", filters.most_aspect, 1, 16'384);
    read_names(reader, "duplicates", {"examples", "pictures"}, [&](const std::string& name) {
      (name == "examples" ? filters.same_examples : filters.same_pictures) = true;
    });
    reader.finish();
  }
  if (!problems.empty()) throw SettingsError(problem_lines(std::move(problems), file.string()));
  return filters;
}

}  // namespace palisade
