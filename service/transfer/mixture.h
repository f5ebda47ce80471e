#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// One file of examples in a mixture.
struct MixturePart {
  std::string name;                  // of its losses and scores; empty: the data are one file and no mixture
  std::filesystem::path data;        // JSONL
  std::filesystem::path evaluation;  // JSONL; empty: none
  double weight = 1;                 // its share of the examples is this over the sum of all
  // How its prompts read: "{}" stands for a line's own prefix, and without it a line needs none. Empty: the
  // lines' prefixes as they are.
  std::string prefix;
};

// Reads a mixture, a list `parts` of maps with the keys above; relative paths are relative to its folder, and
// a part without a name has its data's. Throws SettingsError naming file, line and column: no part, a weight
// that is no number above 0, two parts of one name, a prefix with several "{}".
std::vector<MixturePart> read_mixture(std::string_view text, const std::filesystem::path& file);

// A line's prompt by a part's form, which is not empty.
std::string formed_prefix(std::string_view form, std::string_view prefix);
// Whether the form asks for a line's own prefix.
bool asks_for_prefix(std::string_view form);

}  // namespace palisade
