#include <algorithm>
#include <cassert>
#include <limits>

#include "base/format.h"
#include "model/gemma/language_model.h"
#include "model/kernels/kernels.h"
#include "model/tensor/parallel.h"

namespace palisade {
namespace {

// The first makes queries, keys and values of each row, the second does attention, up to `positions`, and
// MLP.
std::array<HalfLayer, 2> halves_of_layer(const TextConfig& config, int rows, int positions) {
  const double q_width = double(config.heads) * config.head_dim;
  const double kv_width = double(config.kv_heads) * config.head_dim;
  return {{{rows, 2 * config.width * (q_width + 2 * kv_width)},
           {rows, 4 * q_width * positions + 2 * config.width * (q_width + 3.0 * config.mlp_width)}}};
}

// Rows that repay the way of half a layer's weights to the thread that multiplies by them. Weights of a small
// model stay in its L2 cache; else all rows share the threads.
int least_block(const TextConfig& config) {
  constexpr double kSecondCache = 1 << 20;
  const double weights = halves_of_layer(config, 1, 0)[1].operations / 2;
  return sizeof(float) * weights <= kSecondCache ? 8 : std::numeric_limits<int>::max();
}

int most_positions(const std::vector<Segment>& segments) {
  int most = 0;
  for (const Segment& segment : segments)
    most = std::max(most, segment.cache->length() + segment.positions());
  return most;
}

}  // namespace

LanguagePass::LanguagePass(const LanguageModel& model, MatrixView x, std::vector<Segment> segments,
                           const Observer& observer, int first_asked)
    : model_(model),
      x_(x),
      segments_(std::move(segments)),
      observer_(observer),
      first_asked_(observer ? 0 : std::min(first_asked, x.rows - 1)),
      q_(x.rows, model.config_.heads * model.config_.head_dim),
      at_(model.config_.layers, halves_of_layer(model.config_, x.rows, most_positions(segments_))) {
  assert(x.contiguous());
}

std::vector<LanguagePass::Part> LanguagePass::parts_of(int first, int count) const {
  std::vector<Part> parts;
  int begin = 0;  // row of x at which the segment begins
  for (const Segment& segment : segments_) {
    const int from = std::max(first, begin), to = std::min(first + count, begin + segment.rows);
    const int asked = begin + segment.rows - std::max(begin, first_asked_);
    if (from < to) parts.push_back({&segment, from, to - from, from - begin, asked});
    begin += segment.rows;
  }
  return parts;
}

RowAdapters LanguagePass::adapters_of(int first, int count, LowRank LanguageAdapter::Layer::*linear) const {
  RowAdapters adapters;
  int begin = 0;  // row of x at which the segment begins
  for (const Segment& segment : segments_) {
    const int from = std::max(first, begin), to = std::min(first + count, begin + segment.rows);
    begin += segment.rows;
    if (from >= to || segment.adapter == nullptr || segment.adapter->layers.empty()) continue;
    const LowRank& adapter = segment.adapter->layers[at_.layer()].*linear;
    if (!adapter) continue;
    adapters.resize(std::size_t(count));
    std::fill(adapters.begin() + (from - first), adapters.begin() + (to - first), &adapter);
  }
  return adapters;
}

void LanguagePass::write_keys(int first, int count) {
  const LanguageModel::Layer& layer = model_.layer(at_.layer());
  const TextConfig& config = model_.config_;
  const int q_width = config.heads * config.head_dim, kv_width = config.kv_heads * config.head_dim;
  MatmulRows normed = layer.qkv.rows(count, adapters_of(first, count, &LanguageAdapter::Layer::qkv));
  Matrix qkv(count, q_width + 2 * kv_width);
  model_.norm(x_.row_range(first, count), layer.attention_norm, normed);
  layer.qkv(normed, qkv);
  for (const Part& part : parts_of(first, count)) {
    KvCache& cache = *part.segment->cache;
    parallel_for(part.count, 100.0 * part.count * (q_width + kv_width), [&](int row) {
      const std::span<const float> in = qkv.row(part.first - first + row), q = in.first(q_width),
                                   key = in.subspan(q_width, kv_width), value = in.last(kv_width);
      const int own = part.segment->own_place(part.row + row);
      for (int place = own; place >= 0; place = part.segment->next_place(place)) {
        const int position = cache.length() + place;
        model_.rotate(key, position, cache.key(at_.layer(), position));
        std::ranges::copy(value, cache.value(at_.layer(), position).begin());
      }
      model_.rotate(q, cache.length() + own, q_.row(part.first + row));
    });
  }
}

void LanguagePass::attend_and_mix(int first, int count) {
  const LanguageModel::Layer& layer = model_.layer(at_.layer());
  const TextConfig& config = model_.config_;
  Matrix heads(count, q_.cols()), mixed(count, x_.cols);
  const std::vector<Part> parts = parts_of(first, count);
  const auto attend_part = [&](int index) {
    const Part& part = parts[index];
    const KvCache& cache = *part.segment->cache;
    const int positions = cache.length() + part.segment->positions();
    // transformers slides the window while decoding alone, on some layers; the prefill sees itself whole.
    const bool slides = config.architecture == TextArchitecture::kGemma2 &&
                        model_.window_ == SlidingWindow::kTransformers && config.slides(at_.layer()) &&
                        part.segment->prefix == 0;
    const Visibility visibility{.first = cache.length() + part.row,
                                .prefix = part.segment->prefix,
                                .window = slides ? std::optional(config.sliding_window) : std::nullopt};
    AttentionShape shape = model_.attention_shape();
    const bool last_layer = at_.layer() == config.layers - 1;
    const int rows = last_layer ? part.asked : part.segment->rows;
    shape.rounded = shape.rounded && repays_rounding(shape, rows);
    attend(shape, q_.view().row_range(part.first, part.count), cache.first(at_.layer(), positions),
           visibility, heads.view().row_range(part.first - first, part.count));
  };
  if (int(parts.size()) == count) {
    // One row each is too little for attend() to share among threads.
    parallel_for(count, 4.0 * count * q_.cols() * most_positions(segments_), attend_part);
  } else {
    // So are a few: spellings that are scored behind their prompt.
    constexpr int kFewRows = 8;
    std::vector<int> small;
    double work = 0;
    for (int part = 0; part < int(parts.size()); ++part) {
      if (parts[part].count > kFewRows) {
        attend_part(part);
      } else {
        small.push_back(part);
        work += 4.0 * parts[part].count * q_.cols() * most_positions(segments_);
      }
    }
    parallel_for(int(small.size()), work, [&](int index) { attend_part(small[index]); });
  }
  const MatrixView x = x_.row_range(first, count);
  const auto add_to_x = [&](const std::optional<Matrix>& post_norm) -> RowUse {
    return [&](int row, std::span<float> values) {
      if (post_norm) rms_norm(values, post_norm->row(0), config.rms_norm_eps, values);
      add(x.row(row), values);
    };
  };
  using Adapted = LanguageAdapter::Layer;
  layer.attention_out(heads, mixed, add_to_x(layer.post_attention_norm),
                      adapters_of(first, count, &Adapted::attention_out));
  MatmulRows normed = layer.gate_up.rows(count, adapters_of(first, count, &Adapted::gate_up));
  model_.norm(x, layer.mlp_norm, normed);
  model_.mlp(layer, normed, mixed, add_to_x(layer.post_mlp_norm), adapters_of(first, count, &Adapted::down));
}

void LanguagePass::end_layer(int layer) {
  if (observer_) observer_(format("lm.layer.{}", layer), x_);
  if (!at_.done()) return;
  const MatrixView asked = x_.row_range(first_asked_, x_.rows - first_asked_);
  model_.norm(asked, model_.final_norm_, asked);
  if (observer_) observer_("lm.final_norm", x_);
  for (const Segment& segment : segments_) segment.cache->extend(segment.positions());
}

bool LanguagePass::advance(double operations) {
  if (at_.done()) return false;
  const int layer = at_.layer();
  if (!model_.has_layer(layer)) {
    model_.layer(layer);  // a slice by itself, so that waiting does not count as work
    return true;
  }
  if (layer == model_.config_.layers - 1 && at_.second_half()) at_.skip_to(first_asked_);
  const int count = at_.rows_within(operations);
  const auto half = at_.second_half() ? &LanguagePass::attend_and_mix : &LanguagePass::write_keys;
  const auto some = [&](int begin, int rows) { (this->*half)(at_.unit() + begin, rows); };
  for_row_blocks(count, some, least_block(model_.config_));
  if (at_.move(count)) end_layer(layer);
  return !at_.done();
}

}  // namespace palisade
