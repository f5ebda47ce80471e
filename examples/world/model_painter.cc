#include "examples/world/model_painter.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "examples/world/png.h"
#include "frames/resize_pillow.h"

namespace palisade::world {
namespace {

constexpr std::size_t kPainterNoise = 1 << 16;  // samples; every row of a picture starts at a different one
constexpr int kBlock = 4;                       // pixels
constexpr double kMaxNoise = 2;                 // 8-bit levels; of a degraded scene, like the next two
constexpr double kMaxShift = 2;                 // 8-bit levels
constexpr double kMaxChromaLoss = 0.15;
constexpr int kLayers = 4;   // premultiplied RGB and coverage
constexpr int kSamples = 5;  // values of a sprite's pixel: fixed RGB, tinted share, coverage

std::uint8_t to_8_bits(float share) {
  return static_cast<std::uint8_t>(std::clamp(255.0f * share + 0.5f, 0.0f, 255.0f));
}

double norm(const std::vector<float>& weights) {
  double squares = 0;
  for (const float weight : weights) squares += double{weight} * weight;
  return std::sqrt(squares);
}

}  // namespace

ModelPainter::ModelPainter(const Sprites& sprites, std::filesystem::path assets, int size)
    : sprites_(sprites),
      assets_(std::move(assets)),
      size_(size),
      columns_(taps_of(kWidth, size)),
      rows_(taps_of(kHeight, size)),
      noise_(kPainterNoise) {
  Random random(1);
  for (float& level : noise_) level = static_cast<float>(random.gaussian());
}

std::vector<ModelPainter::Taps> ModelPainter::taps_of(int canvas, int size) {
  std::vector<Taps> all;
  for (const PillowTaps& taps : pillow_taps(canvas, size, PillowFilter::kBicubic))
    all.push_back({taps.first, {taps.weights.begin(), taps.weights.end()}});
  return all;
}

const std::vector<float>& ModelPainter::background(int number, bool mirrored) {
  std::vector<float>& small = backgrounds_[{number, mirrored}];
  if (!small.empty()) return small;
  const Pixels pixels = read_background(assets_, number);
  std::vector<float> narrow(std::size_t{kHeight} * size_ * 3);  // [kHeight, size, 3]
  for (int y = 0; y < kHeight; ++y) {
    for (int column = 0; column < size_; ++column) {
      const Taps& taps = columns_[column];
      for (std::size_t i = 0; i < taps.weights.size(); ++i) {
        const int x = taps.first + static_cast<int>(i);
        const auto* const rgb =
            &pixels.samples[3 * (std::size_t(y) * kWidth + (mirrored ? kWidth - 1 - x : x))];
        for (std::size_t c = 0; c < 3; ++c)
          narrow[3 * (std::size_t(y) * size_ + column) + c] += taps.weights[i] * rgb[c];
      }
    }
  }
  const std::size_t row_samples = std::size_t(size_) * 3;
  small.resize(size_ * row_samples);
  for (int row = 0; row < size_; ++row) {
    const Taps& taps = rows_[row];
    for (std::size_t i = 0; i < taps.weights.size(); ++i) {
      for (std::size_t k = 0; k < row_samples; ++k)
        small[row * row_samples + k] += taps.weights[i] * narrow[(taps.first + i) * row_samples + k];
    }
  }
  return small;
}

void ModelPainter::begin(const Look& look, bool degraded, Random& random) {
  layers_.clear();
  background_ = &background(look.background, look.mirrored);
  for (std::size_t c = 0; c < 3; ++c) gain_[c] = static_cast<float>(look.gain[c]);
  // By how much the filter reduces noise that is independent from pixel to pixel.
  const double camera_noise =
      look.noise_sigma * norm(columns_[size_ / 2].weights) * norm(rows_[size_ / 2].weights);
  noise_sigma_ = static_cast<float>(camera_noise);
  chroma_ = 1;
  blocks_.clear();
  random_ = Random(random.bits());
  if (!degraded) return;
  noise_sigma_ = static_cast<float>(std::hypot(camera_noise, random.between(0, kMaxNoise)));
  chroma_ = static_cast<float>(1 - random.between(0, kMaxChromaLoss));
  const int blocks_a_row = (size_ + kBlock - 1) / kBlock;
  const double shift = random.between(0, kMaxShift);
  std::vector<std::array<float, 3>> shifts(std::size_t(blocks_a_row) * blocks_a_row);
  for (auto& block : shifts) {
    for (float& level : block) level = static_cast<float>(random.between(-shift, shift));
  }
  for (int y = 0; y < size_; ++y) {
    for (int x = 0; x < size_; ++x) {
      const auto& block = shifts[std::size_t(y / kBlock) * blocks_a_row + x / kBlock];
      blocks_.insert(blocks_.end(), block.begin(), block.end());
    }
  }
}

const std::vector<std::uint8_t>& ModelPainter::sprite(const Object& object) {
  std::vector<std::uint8_t>& samples = scaled_[{object.kind, object.width, object.height}];
  if (!samples.empty()) return samples;
  const Sprite scaled = sprites_.scaled(object.kind, object.width, object.height, true);
  for (std::size_t i = 0; i < scaled.cover.size(); ++i) {
    for (const auto& channel : scaled.fixed) samples.push_back(to_8_bits(channel[i]));
    samples.push_back(to_8_bits(scaled.tinted[i]));
    samples.push_back(to_8_bits(scaled.cover[i]));
  }
  return samples;
}

// The sprite in the object's colour, premultiplied, facing its way, [height, width, 4].
std::vector<float> ModelPainter::coloured(const Object& object) {
  const std::uint8_t* from = sprite(object).data();
  std::array<float, 3> tint;
  for (std::size_t c = 0; c < 3; ++c) tint[c] = static_cast<float>(object.tint[c] / 255.0);
  std::vector<float> layers(std::size_t(object.width) * object.height * kLayers);
  const std::ptrdiff_t step = object.faces_right ? kLayers : -kLayers;
  for (int y = 0; y < object.height; ++y) {
    const int first = object.faces_right ? 0 : object.width - 1;
    float* to = layers.data() + (std::ptrdiff_t{y} * object.width + first) * kLayers;
    for (int x = 0; x < object.width; ++x, from += kSamples, to += step) {
      for (std::size_t c = 0; c < 3; ++c)
        to[c] = static_cast<float>(from[c]) + static_cast<float>(from[3]) * tint[c];
      to[3] = static_cast<float>(from[4]) / 255.0f;
    }
  }
  return layers;
}

// An object's baseline never changes, so this is computed once for each object and not for each picture.
const ModelPainter::Layer& ModelPainter::layer_of(const Object& object) {
  const auto [entry, is_new] = layers_.try_emplace(object.id);
  Layer& layer = entry->second;
  if (!is_new) return layer;
  const std::vector<float> layers = coloured(object);
  const int bottom = static_cast<int>(std::nearbyint(object.baseline));
  const int top = bottom - object.height;
  const std::size_t row_samples = std::size_t(object.width) * kLayers;
  layer = {object.width, -1, 0, {}};
  for (int row = 0; row < size_; ++row) {
    const Taps& taps = rows_[row];
    const int from = std::max(taps.first, top);
    const int to = std::min(taps.first + static_cast<int>(taps.weights.size()), bottom);
    if (from >= to) continue;
    if (layer.rows++ == 0) layer.first_row = row;
    layer.samples.resize(layer.rows * row_samples);
    float* const sums = layer.samples.data() + (layer.rows - 1) * row_samples;
    for (int y = from; y < to; ++y) {
      const float weight = taps.weights[y - taps.first];
      const float* const line = layers.data() + (y - top) * row_samples;
      for (std::size_t k = 0; k < row_samples; ++k) sums[k] += weight * line[k];
    }
  }
  return layer;
}

void ModelPainter::lay(const Object& object, double t) {
  const Layer& layer = layer_of(object);
  const int left = static_cast<int>(std::nearbyint(object.x_at(t).value()));
  for (int column = 0; column < size_; ++column) {
    const Taps& taps = columns_[column];
    const int from = std::max(taps.first, left);
    const int to = std::min(taps.first + static_cast<int>(taps.weights.size()), left + layer.width);
    if (from >= to) continue;
    for (int row = 0; row < layer.rows; ++row) {
      const float* sample =
          layer.samples.data() + (std::ptrdiff_t{row} * layer.width + from - left) * kLayers;
      std::array<float, kLayers> sum{};
      for (int x = from; x < to; ++x, sample += kLayers) {
        const float weight = taps.weights[x - taps.first];
        for (std::size_t k = 0; k < kLayers; ++k) sum[k] += weight * sample[k];
      }
      float* const pixel = picture_.data() + 3 * (std::ptrdiff_t{layer.first_row + row} * size_ + column);
      for (std::size_t c = 0; c < 3; ++c) pixel[c] = pixel[c] * (1 - sum[3]) + sum[c];
    }
  }
}

Image ModelPainter::paint(std::span<const Object> objects, double t) {
  if (background_ == nullptr) throw std::logic_error("a picture of no scene");
  picture_ = *background_;
  for (const Object* const object : far_to_near(objects, t)) lay(*object, t);
  return expose();
}

// Light and noise: pixel*gain + noise + 0.5, clipped, truncated.
Image ModelPainter::expose() {
  std::vector<std::uint8_t> rgb(picture_.size());
  for (int y = 0; y < size_; ++y) {
    const float* noise = noise_.data() + random_.bits() % (kPainterNoise - 3 * std::size_t(size_));
    for (std::size_t i = std::size_t(y) * size_ * 3; i < std::size_t(y + 1) * size_ * 3; i += 3, noise += 3) {
      std::array<float, 3> level;
      for (std::size_t c = 0; c < 3; ++c) level[c] = picture_[i + c] * gain_[c];
      const float luma = 0.299f * level[0] + 0.587f * level[1] + 0.114f * level[2];
      for (std::size_t c = 0; c < 3; ++c) {
        float& sample = level[c];
        sample = luma + chroma_ * (sample - luma) + noise_sigma_ * noise[c] + 0.5f;
        if (!blocks_.empty()) sample += blocks_[i + c];
        rgb[i + c] = static_cast<std::uint8_t>(std::clamp(sample, 0.0f, 255.0f));
      }
    }
  }
  return Image(size_, size_, std::move(rgb));
}

}  // namespace palisade::world
