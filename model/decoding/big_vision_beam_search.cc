// big_vision, trainers/proj/paligemma/predict_fns.py: _beam_decode. Every running beam is also tried with
// <eos>; the best such end is the answer once no running beam is as probable.
#include <algorithm>

#include "model/decoding/beams.h"

namespace palisade {
namespace {

class BigVisionBeamPolicy : public DecodingPolicy {
 public:
  BigVisionBeamPolicy(Sequence sequence, PolicyLimits limits, const BeamSearch& search)
      : limits_(std::move(limits)), search_(search) {
    running_.push_back({.sequence = std::move(sequence)});
  }

  const Sequence& first() const override { return running_.front().sequence; }

  std::vector<Step> choose() override {
    if (length_ >= limits_.max_new_tokens) return {};
    try_to_end();
    const std::vector<Extension> going_on = best_extensions(running_, search_.beams, limits_.eos);
    ++length_;
    if (going_on.empty()) return {};
    const bool settled = !finished_.empty() && going_on.front().sum < finished_.front().score;
    if (!finished_.empty() && (settled || length_ == limits_.max_new_tokens)) return {};
    running_ = extend(std::move(running_), going_on);
    return length_ == limits_.max_new_tokens ? std::vector<Step>{} : last_tokens(running_);
  }

  Answer answer() const override { return answer_of(finished_, running_, limits_); }

 private:
  void try_to_end() {
    for (const RunningBeam& beam : running_) {
      const Distribution distribution = beam.sequence.distribution();
      for (const TokenId eos : limits_.eos) {
        const Candidate end{eos, distribution.logprob(eos)};
        const double score = beam.sum + end.logprob;
        if (finished_.empty() || score > finished_.front().score) finished_ = {finished(beam, end, score)};
      }
    }
  }

  PolicyLimits limits_;
  BeamSearch search_;
  int length_ = 0;
  std::vector<RunningBeam> running_;
  std::vector<Beam> finished_;  // the best one, or none
};

}  // namespace

std::unique_ptr<DecodingPolicy> big_vision_beam_policy(Sequence sequence, PolicyLimits limits,
                                                       const BeamSearch& search) {
  return std::make_unique<BigVisionBeamPolicy>(std::move(sequence), std::move(limits), search);
}

}  // namespace palisade
