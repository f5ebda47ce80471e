#include "model/decoding/beams.h"

#include <algorithm>
#include <functional>

namespace palisade {

std::vector<Extension> best_extensions(const std::vector<RunningBeam>& beams, int count,
                                       const std::vector<TokenId>& without) {
  std::vector<Extension> extensions;
  for (int parent = 0; parent < int(beams.size()); ++parent) {
    const Distribution distribution = beams[parent].sequence.distribution();
    for (const Candidate& next : distribution.best(count + int(without.size()))) {
      if (std::ranges::find(without, next.token) == without.end())
        extensions.push_back({parent, next, beams[parent].sum + next.logprob});
    }
  }
  std::ranges::stable_sort(extensions, std::ranges::greater(), &Extension::sum);
  if (int(extensions.size()) > count) extensions.resize(count);
  return extensions;
}

std::vector<RunningBeam> extend(std::vector<RunningBeam> parents, const std::vector<Extension>& extensions) {
  std::vector<int> children(parents.size(), 0);
  for (const Extension& extension : extensions) ++children[extension.parent];
  // Beams that end here make room before others are copied.
  for (std::size_t parent = 0; parent < parents.size(); ++parent) {
    if (children[parent] == 0) const Sequence ended = std::move(parents[parent].sequence);
  }
  std::vector<RunningBeam> beams;
  for (const auto& [parent, next, sum] : extensions) {
    RunningBeam& from = parents[parent];
    RunningBeam beam{.sequence = --children[parent] > 0 ? from.sequence.fork() : std::move(from.sequence),
                     .token_ids = from.token_ids,
                     .token_logprobs = from.token_logprobs,
                     .sum = sum};
    beam.token_ids.push_back(next.token);
    beam.token_logprobs.push_back(next.logprob);
    beams.push_back(std::move(beam));
  }
  return beams;
}

std::vector<Step> last_tokens(std::vector<RunningBeam>& beams) {
  std::vector<Step> steps;
  for (RunningBeam& beam : beams) steps.push_back({&beam.sequence, beam.token_ids.back()});
  return steps;
}

Beam finished(const RunningBeam& parent, const Candidate& next, double score) {
  Beam beam{.token_ids = parent.token_ids, .token_logprobs = parent.token_logprobs, .score = score};
  beam.token_ids.push_back(next.token);
  beam.token_logprobs.push_back(next.logprob);
  return beam;
}

Answer answer_of(const std::vector<Beam>& finished, const std::vector<RunningBeam>& running,
                 const PolicyLimits& limits) {
  Answer answer{.finish_reason = FinishReason::kLength, .beams = finished};
  if (!finished.empty()) {
    answer.token_ids = finished.front().token_ids;
    answer.token_logprobs = finished.front().token_logprobs;
  } else if (!running.empty()) {
    answer.token_ids = running.front().token_ids;
    answer.token_logprobs = running.front().token_logprobs;
  }
  if (!answer.token_ids.empty() && limits.ends(answer.token_ids.back()))
    answer.finish_reason = FinishReason::kStop;
  return answer;
}

}  // namespace palisade
