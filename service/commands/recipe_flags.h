#pragma once

#include <map>
#include <string>

namespace CLI {
class App;
}

namespace palisade {

// The recipe's file and the flags that win over it, as given; empty where a flag was not given.
struct RecipeFlags {
  std::string recipe;
  std::map<std::string, std::string> values;  // by recipe key

  // The flags as YAML of a recipe. With `lists` a value with commas becomes a list.
  std::string text(bool lists = false) const;
};

void add_recipe_flags(CLI::App& command, RecipeFlags& flags);

}  // namespace palisade
