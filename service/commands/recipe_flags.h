#pragma once

#include <map>
#include <string>

namespace CLI {
class App;
}

namespace palisade {

// A recipe and the flags that come before it, as typed; empty where they were not.
struct RecipeFlags {
  std::string recipe;
  std::map<std::string, std::string> values;  // by their keys in a recipe

  // The flags as a recipe's text; with `lists`, what holds commas is a list.
  std::string text(bool lists = false) const;
};

void add_recipe_flags(CLI::App& command, RecipeFlags& flags);

}  // namespace palisade
