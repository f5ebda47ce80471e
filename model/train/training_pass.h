#pragma once

#include <vector>

#include "model/gemma/rotary.h"
#include "model/train/decoder_block.h"
#include "model/train/image_tower.h"
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

// One batch through the whole model and back, all rows of all examples at once, without padding (big_vision,
// trainers/proj/paligemma/train.py: loss_fn). Keeps its memory from step to step. One thread's.
class TrainingPass {
 public:
  // `parameters` outlive it.
  explicit TrainingPass(Parameters& parameters);

  std::vector<ExampleLoss> evaluate(const TrainingBatch& batch, const PassOptions& options);
  // The same, and adds the gradients of the mean over the examples to those of the parameters.
  std::vector<ExampleLoss> accumulate(const TrainingBatch& batch, const PassOptions& options);

  // After the final norm, the rows that predict the targets of the last batch. [targets, width]
  ConstMatrixView target_states() const { return target_states_; }

 private:
  // forward.cc
  void lay_out(const TrainingBatch& batch, const PassOptions& options);
  void encode(const TrainingBatch& batch, bool keep);
  void embed(const TrainingBatch& batch);
  void decode(bool keep);
  std::vector<ExampleLoss> loss(const TrainingBatch& batch, bool with_gradients);
  std::vector<ExampleLoss> forward(const TrainingBatch& batch, const PassOptions& options, bool keep);
  DecoderPass decoder_pass();
  // backward.cc
  void backward(const TrainingBatch& batch);
  void decode_backward();
  void embed_backward(const TrainingBatch& batch);
  void encode_backward();
  bool images_trained() const;

  Parameters& parameters_;
  const ModelConfig& config_;
  Rotary rotary_;
  RotaryTable rotary_table_;
  PassOptions options_;

  // The batch's layout.
  std::vector<SequenceRows> sequences_;
  std::vector<int> target_rows_;  // of the rows of all sequences
  std::vector<Target> targets_;
  std::vector<TokenLoss> losses_;  // one a target

  BlockScratch scratch_;
  ImageTower image_tower_;
  ConstMatrixView tower_states_;  // of the last batch
  Buffer features_;               // projected [pictures * tokens, text width]
  std::vector<DecoderBlockActivations> decoder_;
  Buffer language_out_;
  Buffer targets_in_;  // the target rows before the final norm
  Buffer target_states_;
  Buffer logits_;
  // Gradients
  Buffer dtargets_;
  Buffer dtargets_in_;
  Buffer dx_;
  Buffer dfeatures_;
};

}  // namespace palisade
