#include "frames/resize_tensorflow.h"

#include <algorithm>
#include <cmath>

namespace palisade {
namespace {

struct Lerp {
  int lower = 0;
  int upper = 0;
  float weight = 0;
};

// tensorflow/core/kernels/image/resize_bilinear_op.cc, compute_interpolation_weights
std::vector<Lerp> lerps_of(int in_size, int out_size) {
  const float scale = float(in_size) / float(out_size);
  std::vector<Lerp> all(out_size);
  for (int out = 0; out < out_size; ++out) {
    const float in = (float(out) + 0.5f) * scale - 0.5f;
    const float floor = std::floor(in);
    all[out] = {std::max(int(floor), 0), std::min(int(std::ceil(in)), in_size - 1), in - floor};
  }
  return all;
}

struct Span {
  int first = 0;
  std::vector<float> weights;
};

// tensorflow/core/kernels/image/scale_and_translate_op.cc, ComputeSpansCore with the triangle kernel
std::vector<Span> spans_of(int in_size, int out_size) {
  const float inverse_scale = float(in_size) / float(out_size);
  const float kernel_scale = std::max(inverse_scale, 1.0f);
  std::vector<Span> all(out_size);
  for (int out = 0; out < out_size; ++out) {
    const float center = (float(out) + 0.5f) * inverse_scale;
    const int first = std::clamp(int(std::ceil(center - kernel_scale - 0.5f)), 0, in_size - 1);
    const int last = std::clamp(int(std::floor(center + kernel_scale - 0.5f)), 0, in_size - 1);
    float total = 0;
    for (int in = first; in <= last; ++in) {
      const float distance = std::abs((float(in) + 0.5f - center) / kernel_scale);
      all[out].weights.push_back(std::max(0.0f, 1.0f - distance));
      total += all[out].weights.back();
    }
    all[out].first = first;
    for (float& weight : all[out].weights) weight /= total;
  }
  return all;
}

}  // namespace

std::vector<float> resize_bilinear(const Image& image, int width, int height) {
  const auto columns = lerps_of(image.width(), width);
  const auto rows = lerps_of(image.height(), height);
  const std::size_t in_row = std::size_t(image.width()) * 3;
  std::vector<float> out;
  out.reserve(std::size_t(width) * height * 3);
  for (const Lerp& y : rows) {
    const std::uint8_t* upper_row = image.u8().data() + y.lower * in_row;
    const std::uint8_t* lower_row = image.u8().data() + y.upper * in_row;
    for (const Lerp& x : columns) {
      for (int channel = 0; channel < 3; ++channel) {
        const float top_left = upper_row[x.lower * 3 + channel];
        const float top_right = upper_row[x.upper * 3 + channel];
        const float bottom_left = lower_row[x.lower * 3 + channel];
        const float bottom_right = lower_row[x.upper * 3 + channel];
        const float top = top_left + (top_right - top_left) * x.weight;
        const float bottom = bottom_left + (bottom_right - bottom_left) * x.weight;
        out.push_back(top + (bottom - top) * y.weight);
      }
    }
  }
  return out;
}

std::vector<float> resize_bilinear_antialiased(const Image& image, int width, int height) {
  const auto rows = spans_of(image.height(), height);
  const auto columns = spans_of(image.width(), width);
  const std::size_t in_row = std::size_t(image.width()) * 3;
  std::vector<float> tall(in_row * height, 0.0f);  // [height, in_width, 3]
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* in = image.u8().data() + rows[y].first * in_row;
    for (const float weight : rows[y].weights) {
      for (std::size_t i = 0; i < in_row; ++i) tall[y * in_row + i] += weight * float(in[i]);
      in += in_row;
    }
  }
  std::vector<float> out(std::size_t(width) * height * 3, 0.0f);
  float* target = out.data();
  for (int y = 0; y < height; ++y) {
    for (const Span& span : columns) {
      const float* in = tall.data() + y * in_row + std::size_t(span.first) * 3;
      for (const float weight : span.weights) {
        for (int channel = 0; channel < 3; ++channel) target[channel] += weight * in[channel];
        in += 3;
      }
      target += 3;
    }
  }
  return out;
}

}  // namespace palisade
