#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace palisade::world {

// Counts of what was said, what is true and what is both, over all captions so far.
struct Tally {
  int said = 0;
  int really = 0;
  int both = 0;
  // 1 if nothing was said and nothing was there.
  double f1() const { return said + really == 0 ? 1.0 : 2.0 * both / (said + really); }
};

// The clauses in which a caption and the truth differ.
struct Difference {
  std::vector<std::string> wrong;   // said but not true
  std::vector<std::string> missed;  // true but not said
};

// The score of all captions so far against the truth: micro F1 over multisets.
struct Score {
  int captions = 0;
  int exact = 0;
  Tally objects;  // colour and kind must both be right
  Tally kinds;
  Tally colours;
  Tally clauses;

  double exact_share() const { return captions == 0 ? 0.0 : static_cast<double>(exact) / captions; }
  void add(std::string_view said, std::string_view truth);
};

bool exactly(std::string_view said, std::string_view truth);
Difference difference(std::string_view said, std::string_view truth);

}  // namespace palisade::world
