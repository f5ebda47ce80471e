#include "model/config/preprocessor.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/format.h"
#include "base/json.h"
#include "model/config/config_section.h"

namespace palisade {
namespace {

// What a folder says of pictures, and where.
struct PictureSettings {
  Json json;
  std::string where;
};

// Null has another meaning for transformers than absent: it is refused where the value is needed.
const Json* value_of(const ConfigSection& section, const char* key) {
  if (section.is_null(key)) section.fail(key, "is null; give the value, or take the key out for SigLIP's");
  return section.find(key);
}

bool is_finite_number(const Json& value) {
  return value.is_number() && std::isfinite(value.get<double>());
}

// A number is for all channels.
std::array<float, 3> read_channels(const ConfigSection& section, const char* key) {
  std::array<float, 3> channels = {0.5f, 0.5f, 0.5f};
  const Json* const value = value_of(section, key);
  if (value == nullptr) return channels;
  if (is_finite_number(*value)) {
    channels.fill(value->get<float>());
    return channels;
  }
  if (!value->is_array() || value->size() != 3 || !std::ranges::all_of(*value, is_finite_number))
    section.fail(key, "is no list of three numbers");
  for (std::size_t channel = 0; channel < 3; ++channel) channels[channel] = (*value)[channel].get<float>();
  return channels;
}

// {"height", "width"}, or a list of both.
void require_size(const ConfigSection& section, int image_size) {
  const Json* const size = value_of(section, "size");
  if (size == nullptr) return;
  const Json square = {{"height", image_size}, {"width", image_size}};
  if (*size == square || *size == Json({image_size, image_size})) return;
  section.fail("size", "is " + size->dump() + "; config.json's image_size asks for " + square.dump() +
                           ", and pictures are resized to a square alone, without cropping");
}

// Pillow's numbers.
ResizePreset read_resample(const ConfigSection& section) {
  const Json* const resample = value_of(section, "resample");
  if (resample == nullptr || *resample == 3) return ResizePreset::kHfBicubic;
  if (*resample == 2) return ResizePreset::kHfBilinear;
  section.fail("resample", "is " + resample->dump() + "; 2 (bilinear) and 3 (bicubic) are known");
}

void read_values(const ConfigSection& section, Preprocessor& preprocessor) {
  if (!section.boolean("do_rescale", true)) {
    preprocessor.rescale_factor = 1;
  } else if (const Json* const factor = value_of(section, "rescale_factor")) {
    if (!is_finite_number(*factor) || !(factor->get<double>() > 0))
      section.fail("rescale_factor", "is no number above 0");
    preprocessor.rescale_factor = factor->get<double>();
  }
  if (!section.boolean("do_normalize", true)) {
    preprocessor.mean = {0, 0, 0};
    preprocessor.deviation = {1, 1, 1};
    return;
  }
  preprocessor.mean = read_channels(section, "image_mean");
  preprocessor.deviation = read_channels(section, "image_std");
  for (const float deviation : preprocessor.deviation) {
    if (!(deviation > 0)) section.fail("image_std", "must be above 0");
  }
}

// As transformers: image_processor of processor_config.json comes before preprocessor_config.json.
std::optional<PictureSettings> read_picture_settings(const std::filesystem::path& folder) {
  constexpr std::size_t kMaxBytes = 1u << 20;
  const auto processor = folder / "processor_config.json", pictures = folder / "preprocessor_config.json";
  if (std::filesystem::exists(processor)) {
    Json json = read_json(processor, kMaxBytes);
    const ConfigSection root(json, processor.string());
    if (root.find("image_processor") != nullptr)
      return PictureSettings{json["image_processor"], processor.string() + ": image_processor"};
  }
  if (!std::filesystem::exists(pictures)) return std::nullopt;
  return PictureSettings{read_json(pictures, kMaxBytes), pictures.string()};
}

}  // namespace

Image Preprocessor::to_square(const Image& image) const {
  if (image.width() == image_size && image.height() == image_size) return image;
  return palisade::resize(image, image_size, image_size, resize);
}

Matrix Preprocessor::pixel_values(const Image& square) const {
  const int pixels = image_size * image_size;
  Matrix values(3, pixels);
  for (int channel = 0; channel < 3; ++channel) {
    float* out = values.row(channel).data();
    const auto normalise = [&](double sample) {
      return (float(sample * rescale_factor) - mean[channel]) / deviation[channel];
    };
    if (square.is_float()) {
      for (int i = 0; i < pixels; ++i) out[i] = normalise(square.f32()[std::size_t(i) * 3 + channel]);
    } else {
      std::array<float, 256> table;
      for (int sample = 0; sample < 256; ++sample) table[sample] = normalise(sample);
      for (int i = 0; i < pixels; ++i) out[i] = table[square.u8()[std::size_t(i) * 3 + channel]];
    }
  }
  return values;
}

Preprocessor read_preprocessor(const std::filesystem::path& folder, int image_size, int image_tokens) {
  Preprocessor preprocessor;
  preprocessor.image_size = image_size;
  const auto settings = read_picture_settings(folder);
  if (!settings) return preprocessor;
  const ConfigSection section(settings->json, settings->where);
  section.refuse(ConfigPlace::kPicture);
  require_size(section, image_size);
  preprocessor.resize = read_resample(section);
  read_values(section, preprocessor);
  if (image_tokens > 0 && section.integer("image_seq_length", image_tokens, 0, INT32_MAX) != image_tokens) {
    section.fail("image_seq_length", format("is {}; config.json makes {} tokens of an image",
                                            section.find("image_seq_length")->dump(), image_tokens));
  }
  return preprocessor;
}

}  // namespace palisade
