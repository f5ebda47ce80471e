#include "service/commands/help_text.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

namespace palisade {
namespace {

constexpr std::size_t kLineWidth = 100;
constexpr std::size_t kAboutColumn = 30;
constexpr std::size_t kMaxChoicesWidth = 40;

// What stands behind an option's name, and what its checks say: CLI11 has both as "INT:INT in [1 - 16]".
struct Unit {
  std::string name;
  std::string bounds;
};

std::string replaced(std::string text, std::string_view old, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(old, at)) != std::string::npos; at += with.size())
    text.replace(at, old.size(), with);
  return text;
}

Unit unit_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t colon = type.find(':');
  Unit unit{type.substr(0, colon), ""};
  if (unit.name == "INT" || unit.name == "UINT") unit.name = "N";
  if (unit.name == "FLOAT") unit.name = "NUMBER";
  const std::string check = colon == std::string::npos ? "" : type.substr(colon + 1);
  const std::size_t open = check.find_first_of("[{"), close = check.find_last_of("]}");
  if (open == std::string::npos || close == std::string::npos) return unit;
  const std::string inner = check.substr(open + 1, close - open - 1);
  if (check[open] == '[') {
    unit.bounds = replaced(inner, " - ", " to ");
  } else if (inner.size() <= kMaxChoicesWidth) {
    unit.name = replaced(inner, ",", "|");
  } else {
    unit.name = "NAME";
    unit.bounds = replaced(inner, ",", ", ");
  }
  return unit;
}

// Words of `text` in lines of kLineWidth; all but the first begin at `column`.
std::string wrapped(std::string_view text, std::size_t column, std::size_t at) {
  std::string lines;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    if (at > column && at + 1 + word.size() > kLineWidth) {
      lines += "\n" + std::string(column, ' ');
      at = column;
    } else if (at > column) {
      lines += " ";
      ++at;
    }
    lines += word;
    at += word.size();
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return lines;
}

std::string entry(const std::string& name, const std::string& about) {
  const bool fits = name.size() + 2 <= kAboutColumn;
  return name +
         (fits ? std::string(kAboutColumn - name.size(), ' ') : "\n" + std::string(kAboutColumn, ' ')) +
         wrapped(about, kAboutColumn, kAboutColumn) + "\n";
}

class HelpText : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool positional) const override {
    const Unit unit = unit_of(*option);
    std::string name = "  " + replaced(option->get_name(positional, !positional), ",", ", ");
    if (option->get_type_size() != 0 && !positional) name += " " + unit.name;
    if (option->get_expected_max() > 1) name += "...";
    return entry(name, about(*option, unit));
  }
  std::string make_subcommand(const CLI::App* command) const override {
    return entry("  " + command->get_name(), command->get_description());
  }
  // Examples stand as they are written, sentences are wrapped.
  std::string make_footer(const CLI::App* app) const override {
    std::string text, footer = app->get_footer();
    while (!footer.empty()) {
      const std::size_t end = std::min(footer.find('\n'), footer.size());
      const std::string line = footer.substr(0, end);
      text += (line.starts_with(' ') ? line : wrapped(line, 0, 0)) + "\n";
      footer.erase(0, end + 1);
    }
    return text;
  }

 private:
  // "Clause (bounds, default: value) [VARIABLE]"; a clause may end with "; default: value" in words.
  static std::string about(const CLI::Option& option, const Unit& unit) {
    constexpr std::string_view kDefault = "; default: ";
    std::string text = option.get_description(), notes = unit.bounds;
    const auto note = [&notes](const std::string& more) { notes += (notes.empty() ? "" : "; ") + more; };
    if (option.get_required()) note("required");
    if (const std::size_t at = text.rfind(kDefault); at != std::string::npos) {
      note(text.substr(at + 2));
      text.erase(at);
    } else if (!option.get_default_str().empty()) {
      note("default: " + option.get_default_str());
    }
    if (!notes.empty()) text += " (" + notes + ")";
    if (!option.get_envname().empty()) text += " [" + option.get_envname() + "]";
    return text;
  }
};

}  // namespace

void set_help_text(CLI::App& app) {
  app.formatter(std::make_shared<HelpText>());
}

}  // namespace palisade
