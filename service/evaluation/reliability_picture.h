#pragma once

#include <string>
#include <vector>

#include "tasks/certainty/reliability.h"

namespace palisade {

// Judged choices of one kind of question, before and after a curve; without a curve `after` is empty.
struct ReliabilityStory {
  std::string name;
  std::vector<JudgedChoice> before;
  std::vector<JudgedChoice> after;
};

// A reliability diagram for each: how often choices of a probability are right; the diagonal is perfect.
std::string reliability_svg(const std::vector<ReliabilityStory>& stories);

}  // namespace palisade
