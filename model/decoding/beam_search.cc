// transformers 4.57.1, generation/utils.py: _beam_search, for one prompt.
#include <algorithm>
#include <cmath>
#include <functional>

#include "model/decoding/beams.h"

namespace palisade {
namespace {

class BeamPolicy : public DecodingPolicy {
 public:
  BeamPolicy(Sequence sequence, PolicyLimits limits, const BeamSearch& search)
      : limits_(std::move(limits)), search_(search) {
    running_.push_back({.sequence = std::move(sequence)});
  }

  const Sequence& first() const override { return running_.front().sequence; }

  std::vector<Step> choose() override {
    if (length_ >= limits_.max_new_tokens) return {};
    // So many that `beams` of them go on though every beam may end in each <eos>.
    const int kept = std::max(2, 1 + int(limits_.eos.size())) * search_.beams;
    const std::vector<Extension> extensions = best_extensions(running_, kept);
    ++length_;
    std::vector<Extension> going_on;
    for (int rank = 0; rank < int(extensions.size()); ++rank) {
      const Extension& extension = extensions[rank];
      if (length_ == limits_.max_new_tokens || limits_.ends(extension.next.token)) {
        // An end counts only among the first `beams`.
        if (rank < search_.beams) finish(extension);
      } else if (int(going_on.size()) < search_.beams) {
        going_on.push_back(extension);
      }
    }
    std::ranges::stable_sort(finished_, std::ranges::greater(), &Beam::score);
    if (int(finished_.size()) > search_.beams) finished_.resize(search_.beams);
    if (going_on.empty() || is_settled(going_on.front().sum)) return {};
    running_ = extend(std::move(running_), going_on);
    return last_tokens(running_);
  }

  Answer answer() const override { return answer_of(finished_, running_, limits_); }

 private:
  double scored(double sum, int length) const { return sum / std::pow(length, search_.length_penalty); }

  void finish(const Extension& extension) {
    finished_.push_back(finished(running_[extension.parent], extension.next, scored(extension.sum, length_)));
  }

  // Nothing that runs is expected to get among the finished ones any more.
  bool is_settled(double best_running_sum) const {
    if (int(finished_.size()) < search_.beams) return false;
    if (search_.early_stopping == EarlyStopping::kWhenFull) return true;
    const bool hopes_for_length =
        search_.early_stopping == EarlyStopping::kNever && search_.length_penalty > 0;
    const int length = hopes_for_length ? limits_.max_new_tokens : length_;
    return scored(best_running_sum, length) <= finished_.back().score;
  }

  PolicyLimits limits_;
  BeamSearch search_;
  int length_ = 0;  // tokens that every running beam has
  std::vector<RunningBeam> running_;
  std::vector<Beam> finished_;  // falling by score
};

}  // namespace

std::unique_ptr<DecodingPolicy> beam_policy(Sequence sequence, PolicyLimits limits,
                                            const BeamSearch& search) {
  return std::make_unique<BeamPolicy>(std::move(sequence), std::move(limits), search);
}

}  // namespace palisade
