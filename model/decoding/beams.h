#pragma once

#include <vector>

#include "model/decoding/decoding_policy.h"
#include "model/paligemma/distribution.h"

namespace palisade {

// A beam that still grows: its tokens, and the sequence that has seen them.
struct RunningBeam {
  Sequence sequence;
  std::vector<TokenId> token_ids = {};
  std::vector<double> token_logprobs = {};
  double sum = 0;  // of token_logprobs
};

// A running beam and the token that may come next; `sum` includes that token's.
struct Extension {
  int parent = 0;
  Candidate next;
  double sum = 0;
};

// The best continuations of all beams together, falling, at most `count`. With `without` tokens left out.
std::vector<Extension> best_extensions(const std::vector<RunningBeam>& beams, int count,
                                       const std::vector<TokenId>& without = {});
// The beams that these extensions make. A parent's cache goes on in its last child, the others get copies.
std::vector<RunningBeam> extend(std::vector<RunningBeam> parents, const std::vector<Extension>& extensions);
// What extend() appended and no sequence has seen.
std::vector<Step> last_tokens(std::vector<RunningBeam>& beams);

// The finished sequence that an extension makes, ranked by `score`.
Beam finished(const RunningBeam& parent, const Candidate& next, double score);
Answer answer_of(const std::vector<Beam>& finished, const std::vector<RunningBeam>& running,
                 const PolicyLimits& limits);

}  // namespace palisade
