// Golden data that needs no weights: resizing, pixel values, token ids.
#include <algorithm>
#include <functional>

#include "base/format.h"
#include "base/json.h"
#include "frames/resize.h"
#include "ingest/pictures/picture.h"
#include "model/config/model_config.h"
#include "model/config/preprocessor.h"
#include "model/paligemma/prompt.h"
#include "model/text/tokenizer.h"
#include "model/weights/safetensors.h"
#include "service/verify/tolerance.h"
#include "service/verify/verify.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

std::vector<TokenId> ids_of(const Json& json) {
  return json.get<std::vector<TokenId>>();
}

// The first PaliGemma folder of models/ that `fits`.
fs::path model_folder(const fs::path& root, const std::string& wanted,
                      const std::function<bool(const fs::path&)>& fits) {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(root / "models")) {
    if (fs::exists(entry.path() / "tokenizer.model") && fits(entry.path())) folders.push_back(entry.path());
  }
  if (folders.empty()) throw Error((root / "models").string() + ": no PaliGemma folder with " + wanted);
  return *std::min_element(folders.begin(), folders.end());
}

fs::path folder_with_pieces(const fs::path& root, int pieces) {
  return model_folder(root, format("{} pieces", pieces),
                      [&](const fs::path& folder) { return Tokenizer(folder).piece_count() == pieces; });
}

fs::path folder_with_image_tokens(const fs::path& root, int image_tokens) {
  return model_folder(root, format("{} tokens an image", image_tokens), [&](const fs::path& folder) {
    return read_model_config(folder).image_tokens() == image_tokens;
  });
}

std::vector<TokenId> padded_left(std::vector<TokenId> ids, std::size_t length, TokenId pad) {
  if (ids.size() < length) ids.insert(ids.begin(), length - ids.size(), pad);
  return ids;
}

fs::path picture_named(const fs::path& folder, const std::string& stem) {
  for (const char* ending : {".png", ".jpg", ".jpeg", ".webp"}) {
    if (fs::exists(folder / (stem + ending))) return folder / (stem + ending);
  }
  throw Error((folder / stem).string() + ": no picture of this name");
}

}  // namespace

void verify_resize(const fs::path& root, VerificationReport& report) {
  const Json cases = read_json(root / "resize" / "cases.json");
  for (const Json& one : cases) {
    const Image input = read_picture(root / "resize" / one.at("input").get<std::string>());
    for (const auto& [filter, preset] :
         {std::pair{"bicubic", ResizePreset::kHfBicubic}, std::pair{"bilinear", ResizePreset::kHfBilinear}}) {
      if (!one.contains(filter) || one[filter].is_null()) continue;
      const std::string name = one[filter].get<std::string>();
      const Image expected = read_picture(root / "resize" / name);
      const Image actual =
          resize(input, one.at("out_width").get<int>(), one.at("out_height").get<int>(), preset);
      report.compare_bytes(name, expected.bytes(), actual.bytes());
    }
  }
}

void verify_pixels(const fs::path& root, const fs::path& file, VerificationReport& report) {
  const SafetensorsFile golden(file);
  for (const auto& [name, tensor] : golden.tensors()) {
    const std::size_t dot = name.rfind('.');
    const std::string kind = dot == std::string::npos ? "" : name.substr(dot + 1);
    if (kind != "u8_hwc" && kind != "pixel_values") {
      report.skip(name, "not known what it holds");
      continue;
    }
    const Image input = read_picture(picture_named(root / "images", name.substr(0, dot)));
    const auto size = int(kind == "u8_hwc" ? tensor.shape.at(0) : tensor.shape.at(1));
    const Preprocessor preprocessor{.image_size = size};
    const Image square = preprocessor.to_square(input);
    if (kind == "u8_hwc") {
      report.compare_bytes(name, tensor.bytes(), square.bytes());
    } else {
      const Matrix values = preprocessor.pixel_values(square);
      report.compare(name, tensor.to_floats(), {values.data(), values.size()}, kPixelTolerance);
    }
  }
}

void verify_tokenizer(const fs::path& root, const fs::path& file, VerificationReport& report) {
  const Json cases = read_json(file);
  const Tokenizer tokenizer(folder_with_pieces(root, cases.at("vocab_pieces").get<int>()));
  for (const Json& one : cases.at("encode")) {
    const auto text = one.at("text").get<std::string>();
    report.compare_ids("sp_ids " + Json(text).dump(), ids_of(one.at("sp_ids")), tokenizer.encode(text));
    report.compare_ids("hf_ids " + Json(text).dump(), ids_of(one.at("hf_ids")),
                       tokenizer.encode_with_special(text));
    report.compare_text("sp_decoded " + Json(text).dump(), one.at("sp_decoded").get<std::string>(),
                        tokenizer.decode(ids_of(one.at("sp_ids"))));
  }
  for (const Json& one : cases.at("decode")) {
    report.compare_text("sp_decoded " + one.at("ids").dump(), one.at("sp_decoded").get<std::string>(),
                        tokenizer.decode(ids_of(one.at("ids"))));
  }
}

void verify_processor(const fs::path& root, const fs::path& file, VerificationReport& report) {
  const Json golden = read_json(file);
  const fs::path folder = folder_with_image_tokens(root, golden.at("image_seq_length").get<int>());
  const ModelConfig config = read_model_config(folder);
  const Tokenizer tokenizer(folder);
  for (const Json& one : golden.at("cases")) {
    const auto listed = [&](const char* key) {
      const Json value = one.value(key, Json());
      return value.is_null() ? Json::array() : value.is_array() ? value : Json::array({value});
    };
    const Json texts = listed("text"), suffixes = listed("suffix"), rows = one.at("input_ids");
    // Without <image> in the text the pictures are dealt out evenly.
    const int images =
        one.at("pixel_values_shape").at(0).get<int>() / int(std::max<std::size_t>(texts.size(), 1));
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const auto suffix =
          row < suffixes.size() ? std::optional(suffixes[row].get<std::string>()) : std::nullopt;
      const auto ids = processor_ids(config, tokenizer, texts.at(row).get<std::string>(), images, suffix);
      const auto expected = ids_of(rows[row]);
      const std::string name = format("{} [{}]", one.at("case").get<std::string>(), row);
      report.compare_ids(name, expected, padded_left(ids, expected.size(), config.pad_token));
    }
  }
}

}  // namespace palisade
