#pragma once

#include <span>
#include <vector>

#include "model/gemma/rotary.h"
#include "model/train/decoder_block.h"
#include "model/train/image_tower.h"
#include "model/train/training_pass.h"

namespace palisade {

// Consecutive examples of a batch.
struct ExampleRange {
  std::size_t first = 0;
  std::size_t count = 0;
};

// Some examples of a batch through the whole model and back. Adds to gradients of its own. One thread's.
class PassPart {
 public:
  // Both outlive it; `gradients` are of `parameters`.
  PassPart(const Parameters& parameters, const PaliGemmaTensors& gradients);

  // `options.examples` is above 0. `learn`: adds to the gradients.
  std::vector<ExampleLoss> run(const TrainingBatch& batch, const ExampleRange& range,
                               const PassOptions& options, bool learn);

  ConstMatrixView target_states() const { return target_states_; }
  // What the image tower made of a picture of the last batch, [tokens, width]. Its data is null where no
  // example of this part shows the picture.
  ConstMatrixView image_states(int picture) const;

 private:
  // pass_forward.cc
  void lay_out(const TrainingBatch& batch, const PassOptions& options);
  void encode(const TrainingBatch& batch, bool keep);
  void encode_each(const TrainingBatch& batch);
  void embed(const TrainingBatch& batch);
  void decode(bool keep);
  std::vector<ExampleLoss> loss(bool with_gradients);
  DecoderPass decoder_pass();
  // pass_backward.cc
  void backward(const TrainingBatch& batch);
  void decode_backward();
  void embed_backward(const TrainingBatch& batch);
  void encode_backward();
  bool images_trained() const;
  // The rows of a picture's features.
  int first_feature(int picture) const;

  const Parameters& parameters_;
  const PaliGemmaTensors& gradients_;
  const ModelConfig& config_;
  Rotary rotary_;
  RotaryTable rotary_table_;
  PassOptions options_;

  // The layout of the examples.
  ExampleRange range_;
  std::span<const TrainingExample> examples_;
  std::vector<int> pictures_;  // those that the examples show, by their numbers in the batch
  std::vector<int> place_of_;  // each picture of the batch among them; -1: not there
  std::vector<SequenceRows> sequences_;
  std::vector<Target> targets_;
  std::vector<TokenLoss> losses_;  // one a target

  BlockScratch scratch_;
  ImageTower image_tower_;
  Buffer frozen_states_;          // of a tower that is not trained
  ConstMatrixView tower_states_;  // of pictures_ [pictures * tokens, width]
  Buffer features_;               // projected [pictures * tokens, text width]
  std::vector<DecoderBlockActivations> decoder_;
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
