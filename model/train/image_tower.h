#pragma once

#include <vector>

#include "model/train/encoder_block.h"
#include "model/train/parameters.h"

namespace palisade {

// SigLIP's image tower, forward and back (model/siglip/image_encoder.cc runs the same in slices). Keeps its
// memory from step to step. One thread's.
class ImageTower {
 public:
  // All outlive it. backward() adds to `gradients`, which are of `parameters`.
  ImageTower(const Parameters& parameters, const PaliGemmaTensors& gradients, BlockScratch& scratch)
      : parameters_(parameters), gradients_(gradients), scratch_(scratch) {}

  // Pixel values [3, size * size] a picture -> after the final norm [pictures * tokens, width]. `keep`: what
  // backward() needs.
  ConstMatrixView forward(const std::vector<Matrix>& pictures, bool keep);
  // dout: the gradient of what forward() gave; may be scratch.mixed.
  void backward(ConstMatrixView dout);

 private:
  const Parameters& parameters_;
  const PaliGemmaTensors& gradients_;
  BlockScratch& scratch_;
  Buffer patches_;
  std::vector<EncoderBlockActivations> blocks_;  // one a block where they are kept, else one
  Buffer out_;                                   // before the final norm
  Buffer normed_;
  Buffer dx_;
};

}  // namespace palisade
