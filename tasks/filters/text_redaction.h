#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tasks/filters/text_patterns.h"

namespace palisade {

// What published text must not hold, and what stands in its place: "[email]", the name of the pattern.
// Immutable once filled; any thread may redact.
class TextRedaction {
 public:
  // Kinds of personal_data_kinds(), and patterns of RE2 by name. Throws PatternError.
  struct Pattern {
    std::string name;
    std::string expression;
    bool operator==(const Pattern&) const = default;
  };
  TextRedaction(const std::vector<std::string>& kinds, const std::vector<Pattern>& patterns);

  // Replaces what is found, where matches overlap all of it, and returns the names of what that was, each
  // once, in the order of the text.
  std::vector<std::string> redact(std::string& text) const;

 private:
  TextPatterns patterns_;
};

}  // namespace palisade
