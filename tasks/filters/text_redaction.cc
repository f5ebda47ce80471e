#include "tasks/filters/text_redaction.h"

#include <algorithm>

#include "base/format.h"
#include "tasks/filters/personal_data.h"

namespace palisade {

TextRedaction::TextRedaction(const std::vector<std::string>& kinds, const std::vector<Pattern>& patterns) {
  for (const std::string& kind : kinds) add_personal_data(patterns_, kind, kind);
  for (const Pattern& pattern : patterns) patterns_.add(pattern.name, pattern.expression);
}

std::vector<std::string> TextRedaction::redact(std::string& text) const {
  std::vector<TextMatch> found = patterns_.find(text);
  std::ranges::stable_sort(found, {}, &TextMatch::offset);
  std::vector<std::string> names;
  std::string redacted;
  std::size_t at = 0;
  for (const TextMatch& match : found) {
    if (std::ranges::find(names, match.pattern) == names.end()) names.emplace_back(match.pattern);
    const std::size_t end = match.offset + match.length;
    if (match.offset >= at) {
      redacted += text.substr(at, match.offset - at);
      redacted += format("[{}]", match.pattern);
    }
    at = std::max(at, end);
  }
  if (names.empty()) return names;
  redacted += text.substr(at);
  text = std::move(redacted);
  return names;
}

}  // namespace palisade
