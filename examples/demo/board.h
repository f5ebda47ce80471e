#pragma once

#include <iosfwd>
#include <string>

#include "examples/demo/account.h"

namespace palisade::world {

// Output for people, with or without colours, or as JSON lines.
enum class Style { kPlain, kColoured, kJson };

// Prints each caption with the truth, and the score so far.
class Board {
 public:
  Board(std::ostream& out, Style style) : out_(out), style_(style) {}

  void introduce();
  void caption(const Judgement& judgement, const Account& account);
  // Shows a camera's state event in one line.
  void state(const nlohmann::json& event);
  void summary(const Account& account);

 private:
  std::string painted(const char* colour, const std::string& text) const;
  void line(const char* label, const std::string& text);

  std::ostream& out_;
  const Style style_;
};

}  // namespace palisade::world
