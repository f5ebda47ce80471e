#include "frames/resize.h"

#include <array>
#include <cassert>

#include "frames/resize_pillow.h"
#include "frames/resize_tensorflow.h"

namespace palisade {
namespace {

struct PresetName {
  ResizePreset preset;
  std::string_view name;
};
constexpr std::array kPresets = {PresetName{ResizePreset::kHfBicubic, "hf-bicubic"},
                                 PresetName{ResizePreset::kHfBilinear, "hf-bilinear"},
                                 PresetName{ResizePreset::kBvBilinear, "bv-bilinear"},
                                 PresetName{ResizePreset::kBvBilinearAa, "bv-bilinear-aa"},
                                 PresetName{ResizePreset::kBvVideoFloat, "bv-video-float"}};

// tf.cast towards zero, as big_vision/pp/ops_image.py ends its resize.
Image cast_to_8_bits(int width, int height, const std::vector<float>& samples) {
  std::vector<std::uint8_t> rgb(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i)
    rgb[i] = std::uint8_t(std::min(255.0f, std::max(0.0f, samples[i])));
  return Image(width, height, std::move(rgb));
}

}  // namespace

std::string_view name_of(ResizePreset preset) {
  for (const PresetName& named : kPresets) {
    if (named.preset == preset) return named.name;
  }
  return "";
}

std::optional<ResizePreset> resize_preset_of(std::string_view name) {
  for (const PresetName& named : kPresets) {
    if (named.name == name) return named.preset;
  }
  return std::nullopt;
}

Image resize(const Image& image, int width, int height, ResizePreset preset) {
  assert(!image.empty() && !image.is_float() && width > 0 && height > 0);
  switch (preset) {
    case ResizePreset::kHfBicubic:
      return resize_as_pillow(image, width, height, PillowFilter::kBicubic);
    case ResizePreset::kHfBilinear:
      return resize_as_pillow(image, width, height, PillowFilter::kBilinear);
    case ResizePreset::kBvBilinear:
      return cast_to_8_bits(width, height, resize_bilinear(image, width, height));
    case ResizePreset::kBvBilinearAa:
      return cast_to_8_bits(width, height, resize_bilinear_antialiased(image, width, height));
    case ResizePreset::kBvVideoFloat:
      return Image(width, height, resize_bilinear(image, width, height));
  }
  return {};
}

}  // namespace palisade
