#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace palisade {

// A regular expression over the paths of modules, as PEFT's settings have them ("layers.0.self_attn.q_proj",
// ".*\.(q|v)_proj"). Matched in time that grows as the path does (RE2).
class ModulePattern {
 public:
  // Throws ModelError, which begins with `what`, where RE2 does not read it, as with Python's look-ahead.
  ModulePattern(const std::string& expression, const std::string& what);
  ~ModulePattern();
  ModulePattern(ModulePattern&&) noexcept;

  // Python's re.fullmatch(expression, path).
  bool matches(std::string_view path) const;
  // Python's re.match(r"(.*\.)?(" + expression + ")$", path), as PEFT looks up ranks.
  bool matches_end(std::string_view path) const;

 private:
  struct Compiled;
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace palisade
