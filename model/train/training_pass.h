#pragma once

#include <memory>
#include <vector>

#include "model/train/dropout.h"
#include "model/train/loss.h"
#include "model/train/parameters.h"

namespace palisade {

// Pictures of the batch, then `prompt` (<bos> prefix "\n"), all seeing each other, then `suffix` with <eos>,
// causal. One batch may ask several things about a picture.
struct TrainingExample {
  std::vector<int> pictures;  // indices in the batch
  std::vector<TokenId> prompt;
  std::vector<TokenId> suffix;
  double weight = 1;  // of its loss in the mean
};

struct TrainingBatch {
  std::vector<Matrix> pictures;  // pixel values, [3, size * size] each
  // What an image tower that is not trained made of each picture before (TrainingPass::image_states),
  // [tokens, width] each: one entry a picture, or none at all. A picture whose entry is there is not encoded
  // again and may be empty.
  std::vector<std::shared_ptr<const Matrix>> states;
  std::vector<TrainingExample> examples;
  // Pictures see each other, but neither prompt nor suffix, and examples that follow each other with the same
  // pictures share their rows: not PaliGemma's mask, but several times as many examples in the same time.
  bool pictures_alone = false;

  // Whether an example shares the pictures' rows of the one before it.
  bool follows(std::size_t example) const {
    return pictures_alone && example > 0 && examples[example].pictures == examples[example - 1].pictures;
  }
};

struct ExampleLoss {
  double loss = 0;     // the mean over its target tokens
  bool exact = false;  // each is the likeliest after those before it: greedy decoding would say the suffix
};

struct PassOptions {
  LossOptions loss;
  Dropout dropout;
  double examples = 0;  // over which the loss is the mean; 0: the batch's. More where gradients accumulate
};

class PassPart;

// One batch through the whole model and back, all rows of all examples at once, without padding (big_vision,
// trainers/proj/paligemma/train.py: loss_fn). A small model takes it in parts, some examples in a thread
// each: waking threads for every loop costs more than it brings. The parts do not depend on the number of
// threads. Keeps its memory from step to step. One thread's.
class TrainingPass {
 public:
  // `parameters` outlive it.
  explicit TrainingPass(Parameters& parameters);
  ~TrainingPass();

  std::vector<ExampleLoss> evaluate(const TrainingBatch& batch, const PassOptions& options);
  // The same, and adds the gradients of the mean over the examples to those of the parameters.
  std::vector<ExampleLoss> accumulate(const TrainingBatch& batch, const PassOptions& options);

  // After the final norm, the rows that predict the targets of the last batch. [targets, width]
  ConstMatrixView target_states() const { return target_states_; }
  // After the tower's final norm, of a picture of the last batch. Of a tower that is not trained it is the
  // same to the bit whatever else was in the batch. [tokens, width]
  ConstMatrixView image_states(int picture) const;

 private:
  std::vector<ExampleLoss> run(const TrainingBatch& batch, const PassOptions& options, bool learn);
  void add_up_gradients();
  void collect_target_states();

  Parameters& parameters_;
  const bool small_;
  std::vector<Parameters::Gradients> gradients_;  // of all parts but the first
  std::vector<std::unique_ptr<PassPart>> parts_;
  std::size_t used_ = 0;  // parts of the last batch
  Buffer target_states_;
};

}  // namespace palisade
