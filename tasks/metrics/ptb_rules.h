#pragma once

#include <cstddef>
#include <string_view>

namespace palisade {

// What becomes of the characters that a rule takes.
enum class PtbForm {
  kAsWritten,
  kWord,       // without soft hyphens
  kStraight,   // apostrophes straight, opening quotes as grave accents
  kJoined,     // spaces unbreakable, brackets by name
  kQuotes,     // in ASCII: ` ' `` ''
  kOtherForm,  // the form of the one character (ptb_other_form)
  kText,       // `text` of the rule
  kDropped,    // nothing
};

// What the longest rule takes from the front of a line's kinds (PtbText), of the rules that match as much the
// first.
struct PtbMatch {
  std::size_t size = 0;  // characters of the token; at least one
  PtbForm form = PtbForm::kDropped;
  std::string_view text = "";
};

// `before` is what stands before `rest`, which is not empty.
PtbMatch match_ptb_rules(std::string_view rest);

}  // namespace palisade
