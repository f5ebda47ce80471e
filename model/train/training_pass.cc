#include "model/train/training_pass.h"

#include <algorithm>
#include <cassert>

#include "base/random.h"
#include "model/train/kernels.h"
#include "model/train/pass_part.h"

namespace palisade {
namespace {

// A model of more weights than this (16 MB in f32, about what a cache holds) learns a batch in one part: its
// matmuls are large enough to be shared among threads, and its weights should be read once.
constexpr std::size_t kMostWeights = 4 << 20;
constexpr std::size_t kMostParts = 4;
constexpr std::size_t kMinExamples = 2;

// No part begins with an example that shares rows with the one before it.
std::vector<ExampleRange> ranges_of(const TrainingBatch& batch, std::size_t parts) {
  const std::size_t all = batch.examples.size();
  std::vector<ExampleRange> ranges;
  for (std::size_t part = 0, begin = 0; part < parts; ++part) {
    std::size_t end = all * (part + 1) / parts;
    while (end < all && batch.follows(end)) ++end;
    if (end <= begin) continue;
    ranges.push_back({begin, end - begin});
    begin = end;
  }
  return ranges;
}

}  // namespace

TrainingPass::TrainingPass(Parameters& parameters)
    : parameters_(parameters), small_(parameters.value_block().size() <= kMostWeights) {
  gradients_.reserve(kMostParts - 1);
  parts_.push_back(std::make_unique<PassPart>(parameters, parameters.gradients()));
}

TrainingPass::~TrainingPass() = default;

std::vector<ExampleLoss> TrainingPass::evaluate(const TrainingBatch& batch, const PassOptions& options) {
  return run(batch, options, false);
}

std::vector<ExampleLoss> TrainingPass::accumulate(const TrainingBatch& batch, const PassOptions& options) {
  return run(batch, options, true);
}

std::vector<ExampleLoss> TrainingPass::run(const TrainingBatch& batch, const PassOptions& options,
                                           bool learn) {
  assert(!batch.pictures.empty() && !batch.examples.empty());
  const std::size_t most = small_ ? kMostParts : 1;
  const auto ranges =
      ranges_of(batch, std::clamp<std::size_t>(batch.examples.size() / kMinExamples, 1, most));
  while (parts_.size() < ranges.size()) {
    gradients_.push_back(parameters_.more_gradients());
    parts_.push_back(std::make_unique<PassPart>(parameters_, gradients_.back().tensors));
  }
  PassOptions common = options;
  if (common.examples <= 0) common.examples = double(batch.examples.size());
  used_ = ranges.size();
  std::vector<std::vector<ExampleLoss>> losses(used_);
  parallel_for(int(used_), kParallelWork, [&](int index) {
    const auto part = std::size_t(index);
    PassOptions own = common;
    if (part > 0) own.dropout.seed = split_mix(common.dropout.seed + part);
    losses[part] = parts_[part]->run(batch, ranges[part], own, learn);
  });
  if (learn) add_up_gradients();
  collect_target_states();
  std::vector<ExampleLoss> all;
  for (const auto& its : losses) all.insert(all.end(), its.begin(), its.end());
  return all;
}

// In the order of the parts.
void TrainingPass::add_up_gradients() {
  if (used_ < 2) return;
  const std::span<float> sum = parameters_.gradient_block();
  constexpr std::size_t kPiece = 1 << 14;
  parallel_for_pieces(
      sum.size(), kPiece, 4.0 * double(sum.size()), [&](std::size_t first, std::size_t count) {
        for (std::size_t part = 1; part < used_; ++part)
          take_up(sum.subspan(first, count), gradients_[part - 1].block.all().subspan(first, count));
      });
}

void TrainingPass::collect_target_states() {
  int rows = 0;
  for (std::size_t part = 0; part < used_; ++part) rows += parts_[part]->target_states().rows;
  const MatrixView all = target_states_.shaped(rows, parameters_.config().text.width);
  int row = 0;
  for (std::size_t part = 0; part < used_; ++part) {
    const ConstMatrixView its = parts_[part]->target_states();
    copy_rows(its, all.row_range(row, its.rows));
    row += its.rows;
  }
}

ConstMatrixView TrainingPass::image_states(int picture) const {
  for (std::size_t part = 0; part < used_; ++part) {
    const ConstMatrixView states = parts_[part]->image_states(picture);
    if (states.data) return states;
  }
  return {};
}

}  // namespace palisade
