#pragma once

#include <string>

#include "model/paligemma/paligemma.h"

namespace palisade {

// How near a model's logits are to those of the same model in another precision.
struct Agreement {
  std::string with;           // the other precision; empty where none was asked for
  int tokens = 0;             // number of tokens compared
  double relative_error = 0;  // |difference| / |expected|, all logits as one vector
  double cosine = 0;
  double same_tokens = 0;  // share of tokens with the same most probable next token
};

// Logits of fixed tokens after a fixed picture and prompt. No person would ask this, but it shows what one
// precision loses against another. [tokens, embedding rows]
Matrix agreement_logits(const PaliGemma& model);
Agreement agreement_of(const std::string& with, ConstMatrixView expected, ConstMatrixView actual);

}  // namespace palisade
