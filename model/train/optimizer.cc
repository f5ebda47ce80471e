#include "model/train/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/tensor/parallel.h"
#include "model/train/kernels.h"

namespace palisade {

Optimizer::Optimizer(Parameters& parameters, const OptimizerSettings& settings)
    : parameters_(parameters),
      settings_(settings),
      first_moments_(parameters.gradient_block().size()),
      second_moments_(parameters.gradient_block().size()) {
  constexpr std::size_t kPiece = 1 << 16;
  for (const Parameters::Tensor& tensor : parameters.tensors()) {
    for (std::size_t at = 0; tensor.trained && at < tensor.value.size(); at += kPiece) {
      const std::size_t size = std::min(kPiece, tensor.value.size() - at);
      pieces_.push_back({tensor.value.subspan(at, size), tensor.gradient.subspan(at, size),
                         tensor.trained_offset + at, tensor.spec.decayed,
                         tensor.spec.part == ModelPart::kImageEncoder});
    }
  }
  squares_.resize(pieces_.size());
}

double Optimizer::gradient_norm() {
  parallel_for(int(pieces_.size()), 2.0 * double(parameters_.gradient_block().size()), [&](int piece) {
    squares_[std::size_t(piece)] = sum_of_squares(pieces_[std::size_t(piece)].gradient);
  });
  return std::sqrt(std::accumulate(squares_.begin(), squares_.end(), 0.0));
}

double Optimizer::step(const ScheduleFactors& factors) {
  const double norm = gradient_norm();
  if (!std::isfinite(norm)) return norm;
  ++steps_;
  const AdamStep common{.clip = float(norm > settings_.clip_norm ? settings_.clip_norm / norm : 1.0),
                        .b1 = float(settings_.b1),
                        .b2 = float(settings_.b2),
                        .epsilon = float(settings_.epsilon),
                        .first_correction = float(1 / (1 - std::pow(settings_.b1, steps_))),
                        .second_correction = float(1 / (1 - std::pow(settings_.b2, steps_)))};
  parallel_for(int(pieces_.size()), 20.0 * double(parameters_.gradient_block().size()), [&](int index) {
    const Piece& piece = pieces_[std::size_t(index)];
    const double factor = piece.image_encoder ? factors.image_encoder : factors.rest;
    AdamStep step = common;
    step.rate = float(factor * settings_.learning_rate);
    step.decay = piece.decayed ? float(factor * settings_.weight_decay) : 0.0f;
    adam_update(step, piece.value, piece.gradient,
                first_moments_.all().subspan(piece.offset, piece.value.size()),
                second_moments_.all().subspan(piece.offset, piece.value.size()));
  });
  return norm;
}

}  // namespace palisade
