#include <algorithm>
#include <cassert>

#include "model/kernels.h"
#include "model/language_model.h"
#include "model/parallel.h"

namespace palisade {
namespace {

std::span<float> all_of(MatrixView view) {
  return {view.data, std::size_t(view.rows) * view.cols};
}

}  // namespace

LanguagePass::LanguagePass(const LanguageModel& model, MatrixView x, std::vector<Segment> segments,
                           Observer observer)
    : model_(model),
      x_(x),
      segments_(std::move(segments)),
      observer_(std::move(observer)),
      q_(x.rows, model.config_.heads * model.config_.head_dim) {
  assert(x.contiguous());
}

std::vector<LanguagePass::Part> LanguagePass::parts_of(int first, int count) const {
  std::vector<Part> parts;
  int begin = 0;  // row of x at which the segment begins
  for (const Segment& segment : segments_) {
    const int from = std::max(first, begin), to = std::min(first + count, begin + segment.rows);
    if (from < to) parts.push_back({&segment, from, to - from, segment.cache->length() + from - begin});
    begin += segment.rows;
  }
  return parts;
}

void LanguagePass::write_keys(int first, int count) {
  const LanguageModel::Layer& layer = model_.layers_[layer_];
  const TextConfig& config = model_.config_;
  const int q_width = config.heads * config.head_dim, kv_width = config.kv_heads * config.head_dim;
  Matrix normed(count, x_.cols), qkv(count, q_width + 2 * kv_width);
  model_.norm(x_.row_range(first, count), layer.attention_norm, normed);
  layer.qkv(normed, qkv);
  for (const Part& part : parts_of(first, count)) {
    KvCache::Layer& cache = part.segment->cache->layer(layer_);
    parallel_for(part.count, 100.0 * part.count * (q_width + kv_width), [&](int row) {
      const auto in = qkv.row(part.first - first + row);
      const auto q = q_.row(part.first + row);
      const int position = part.position + row;
      const auto key = cache.keys.row(position), value = cache.values.row(position);
      std::copy_n(in.begin(), q_width, q.begin());
      std::copy_n(in.begin() + q_width, kv_width, key.begin());
      std::copy_n(in.begin() + q_width + kv_width, kv_width, value.begin());
      model_.rotate({q.data(), config.heads, config.head_dim}, {key.data(), config.kv_heads, config.head_dim},
                    position);
    });
  }
}

void LanguagePass::attend_and_mix(int first, int count) {
  const LanguageModel::Layer& layer = model_.layers_[layer_];
  const TextConfig& config = model_.config_;
  Matrix heads(count, q_.cols()), mixed(count, x_.cols), normed(count, x_.cols);
  for (const Part& part : parts_of(first, count)) {
    KvCache::Layer& cache = part.segment->cache->layer(layer_);
    const int positions = part.segment->cache->length() + part.segment->rows;
    // transformers slides the window while decoding alone, on even layers; the prefill sees itself whole.
    const bool slides = config.architecture == TextArchitecture::kGemma2 &&
                        model_.window_ == SlidingWindow::kTransformers && layer_ % 2 == 0 &&
                        part.segment->prefix == 0;
    const Visibility visibility{.first = part.position,
                                .prefix = part.segment->prefix,
                                .window = slides ? std::optional(config.sliding_window) : std::nullopt};
    attend(model_.attention_shape(), q_.view().row_range(part.first, part.count),
           cache.keys.view().row_range(0, positions), cache.values.view().row_range(0, positions), visibility,
           heads.view().row_range(part.first - first, part.count));
  }
  const MatrixView x = x_.row_range(first, count);
  layer.attention_out(heads, mixed);
  if (layer.post_attention_norm) model_.norm(mixed, *layer.post_attention_norm, mixed);
  add(all_of(x), all_of(mixed));
  model_.norm(x, layer.mlp_norm, normed);
  model_.mlp(layer, normed, mixed);
  if (layer.post_mlp_norm) model_.norm(mixed, *layer.post_mlp_norm, mixed);
  add(all_of(x), all_of(mixed));
}

void LanguagePass::end_layer() {
  if (observer_) observer_("lm.layer." + std::to_string(layer_), x_);
  keys_written_ = false;
  if (++layer_ < model_.config_.layers) return;
  model_.norm(x_, model_.final_norm_, x_);
  if (observer_) observer_("lm.final_norm", x_);
  for (const Segment& segment : segments_) segment.cache->extend(segment.rows);
}

bool LanguagePass::advance(int rows) {
  if (layer_ == model_.config_.layers) return false;
  const int count = std::min(rows, x_.rows - row_);
  if (keys_written_) {
    attend_and_mix(row_, count);
  } else {
    write_keys(row_, count);
  }
  row_ += count;
  if (row_ < x_.rows) return true;
  row_ = 0;
  if (!keys_written_) {
    keys_written_ = true;
  } else {
    end_layer();
  }
  return layer_ < model_.config_.layers;
}

}  // namespace palisade
