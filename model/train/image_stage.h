#pragma once

#include <span>
#include <vector>

#include "model/token_id.h"
#include "model/train/image_tower.h"

namespace palisade {

// One thing to say of every patch: which of `classes`. `weight`: of its loss, which is the mean over the
// patches that have a label.
struct PatchLabel {
  int classes = 2;
  double weight = 1;
};

// Pictures with what they show. A picture that several others caption as well belongs to all of these texts.
struct ImageStageBatch {
  std::vector<Matrix> pictures;                // pixel values, [3, size * size] each
  std::vector<int> labels;                     // [pictures * tokens, kinds of label], -1: none
  std::vector<std::vector<TokenId>> captions;  // of the first pictures; cut or filled to kCaptionTokens
};

struct ImageStageLoss {
  double labels = 0;          // the weighted sum
  double sigmoid = 0;         // of the captions
  std::vector<double> right;  // share of the labels that are the likeliest class, one a kind of label
};

// Stage 0 of a model from scratch: the image tower alone, before there is a language model that could use it.
// It learns by SigLIP's loss on pictures and captions, for which a small text tower grows beside it, and by
// labels of every patch: a picture's caption alone says too little about where things are. Text tower and
// heads are thrown away afterwards. One thread's.
class ImageStage {
 public:
  // `parameters` outlive it, and have `patch_classes` as the sum of all classes.
  ImageStage(Parameters& parameters, std::vector<PatchLabel> labels);

  static int classes_of(std::span<const PatchLabel> labels);

  // With `sigmoid_weight` times SigLIP's loss. Adds to the gradients.
  ImageStageLoss accumulate(const ImageStageBatch& batch, double sigmoid_weight);
  // The losses alone.
  ImageStageLoss evaluate(const ImageStageBatch& batch, double sigmoid_weight);

 private:
  ImageStageLoss run(const ImageStageBatch& batch, double sigmoid_weight, bool learn);
  void label_loss(const ImageStageBatch& batch, ConstMatrixView states, ImageStageLoss& loss, bool learn);
  void caption_loss(const ImageStageBatch& batch, ConstMatrixView states, double weight, ImageStageLoss& loss,
                    bool learn);
  ConstMatrixView text_states(const ImageStageBatch& batch);
  void text_backward(const ImageStageBatch& batch, ConstMatrixView dstates);

  Parameters& parameters_;
  std::vector<PatchLabel> labels_;
  BlockScratch scratch_;
  ImageTower tower_;
  Buffer logits_;
  Buffer dstates_;
  EncoderBlockActivations text_block_;
  Buffer text_out_;
  Buffer text_states_;
  Buffer dtext_;
};

}  // namespace palisade
