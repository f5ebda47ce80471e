#pragma once

#include <string>

#include "model/paligemma/paligemma.h"

namespace palisade {

// How near a model's logits are to those of the same model in another precision.
struct Agreement {
  std::string with;           // that precision; empty where none was asked for
  int tokens = 0;             // compared
  double relative_error = 0;  // |difference| / |expected|, all logits as one vector
  double cosine = 0;
  double same_tokens = 0;  // share of the tokens whose largest logit is the same
};

// Of the tokens after one picture and a prompt, which are all the same for every model of this shape: nothing
// that a person would ask, but whatever one precision loses against another shows. [tokens, embedding rows]
Matrix agreement_logits(const PaliGemma& model);
Agreement agreement_of(const std::string& with, ConstMatrixView expected, ConstMatrixView actual);

}  // namespace palisade
