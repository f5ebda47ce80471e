#include "model/preprocessor.h"

#include <cmath>

#include "model/json.h"

namespace palisade {
namespace {

std::array<float, 3> read_channels(const Json& json, const char* key, const std::string& file) {
  std::array<float, 3> channels = {0.5f, 0.5f, 0.5f};
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return channels;
  const auto usable = [](const Json& value) {
    return value.is_number() && std::isfinite(value.get<double>());
  };
  if (!found->is_array() || found->size() != 3 || !std::all_of(found->begin(), found->end(), usable)) {
    throw ModelError(file + ": \"" + key + "\" is no list of three numbers");
  }
  for (int channel = 0; channel < 3; ++channel) channels[channel] = (*found)[channel].get<float>();
  return channels;
}

void require_step(const Json& json, const char* key, const std::string& file) {
  const auto found = json.find(key);
  if (found != json.end() && !found->is_null() && *found != true) {
    throw ModelError(file + ": \"" + key + "\" is not true; Palisade always does that step");
  }
}

int read_side(const Json& size, const char* key, const std::string& file) {
  const auto found = size.is_object() ? size.find(key) : size.end();
  if (!size.is_object() || found == size.end() || !found->is_number_unsigned() ||
      found->get<std::uint64_t>() > 8192) {
    throw ModelError(file + ": \"size\" gives no usable " + key);
  }
  return found->get<int>();
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

Preprocessor read_preprocessor(const std::filesystem::path& folder, int image_size) {
  Preprocessor preprocessor;
  preprocessor.image_size = image_size;
  const auto path = folder / "preprocessor_config.json";
  if (!std::filesystem::exists(path)) return preprocessor;
  const std::string file = path.string();
  const Json json = read_json(path, 1u << 20);
  if (!json.is_object()) throw ModelError(file + ": expected an object");
  for (const char* step : {"do_resize", "do_rescale", "do_normalize"}) require_step(json, step, file);
  if (json.contains("size")) {
    const int height = read_side(json["size"], "height", file),
              width = read_side(json["size"], "width", file);
    if (height != image_size || width != image_size) {
      throw ModelError(file + ": \"size\" is " + std::to_string(height) + "x" + std::to_string(width) +
                       ", config.json's image_size is " + std::to_string(image_size));
    }
  }
  // Pillow's numbers: 2 bilinear, 3 bicubic.
  if (const auto resample = json.find("resample"); resample != json.end() && !resample->is_null()) {
    if (*resample == 2) {
      preprocessor.resize = ResizePreset::kHfBilinear;
    } else if (*resample != 3) {
      throw ModelError(file + ": \"resample\" is " + resample->dump() +
                       "; 2 (bilinear) and 3 (bicubic) are known");
    }
  }
  if (const auto factor = json.find("rescale_factor"); factor != json.end() && !factor->is_null()) {
    if (!factor->is_number() || !(factor->get<double>() > 0))
      throw ModelError(file + ": \"rescale_factor\" is no number above 0");
    preprocessor.rescale_factor = factor->get<double>();
  }
  preprocessor.mean = read_channels(json, "image_mean", file);
  preprocessor.deviation = read_channels(json, "image_std", file);
  for (const float deviation : preprocessor.deviation) {
    if (!(deviation > 0)) throw ModelError(file + ": \"image_std\" must be above 0");
  }
  return preprocessor;
}

}  // namespace palisade
