// Readers of a model folder's files.
#include <algorithm>
#include <fstream>

#include "base/json.h"
#include "model/adapters/adapter_tensors.h"
#include "model/config/model_config.h"
#include "model/config/preprocessor.h"
#include "model/config/siglip_config.h"
#include "model/masks/mask_decoder.h"
#include "model/masks/npz.h"
#include "model/text/sentencepiece_file.h"
#include "model/text/tokenizer.h"
#include "model/weights/calibration.h"
#include "model/weights/packed_cache.h"
#include "model/weights/safetensors.h"
#include "tests/fuzz/readers.h"

namespace palisade::fuzz {
namespace {

constexpr std::string_view kTexts[] = {"", "caption en", "a \xe2\x96\x81 b\n\n<loc0001> <eos>",
                                       "\xf0\x9f\x9a\x97\x00x"};

// A Gemma of one layer, for what is beside the weights.
ModelConfig small_model() {
  ModelConfig config;
  config.vision = {.width = 8, .mlp_width = 16, .layers = 1, .heads = 2, .image_size = 28, .patch_size = 14};
  config.text = {
      .width = 8, .mlp_width = 16, .layers = 1, .heads = 2, .kv_heads = 1, .head_dim = 4, .vocabulary = 32};
  return config;
}

template <class TokenizerType>
void tokenize(const TokenizerType& tokenizer) {
  for (const std::string_view text : kTexts) {
    if constexpr (requires { tokenizer.encode(text, 16); }) {
      tokenizer.encode(text, 16);
    } else {
      tokenizer.decode(tokenizer.encode(text));
      tokenizer.encode_with_special(text);
    }
  }
}

}  // namespace

// An adapter_config.json, a zero, and an adapter_model.safetensors.
void adapter(Input input) {
  const auto zero = std::ranges::find(input, 0);
  const auto config = input.first(std::size_t(zero - input.begin()));
  std::filesystem::create_directory(folder() / "adapter");
  file_of("adapter/adapter_config.json", config);
  file_of("adapter/adapter_model.safetensors", input.subspan(std::min(config.size() + 1, input.size())));
  try {
    const AdapterTensors tensors = read_adapter(folder() / "adapter", small_model());
    for (const auto& [name, tensor] : tensors.replaced) (void)tensor.to_floats();
  } catch (const Error&) {
  }
}

void safetensors(Input input) {
  try {
    const SafetensorsFile file(file_of("model.safetensors", input));
    for (const auto& [name, tensor] : file.tensors()) {
      (void)tensor.shape_text();
      if (tensor.type == DataType::kI64) (void)tensor.to_integers();
      if (tensor.type != DataType::kI64 && tensor.type != DataType::kU8) (void)tensor.to_floats();
    }
  } catch (const Error&) {
  }
}

void sentencepiece(Input input) {
  file_of("tokenizer.model", input);
  file_of("spiece.model", input);
  try {
    tokenize(Tokenizer(folder()));
  } catch (const Error&) {
  }
  try {
    tokenize(SiglipTokenizer(folder()));
  } catch (const Error&) {
  }
}

// tokenizer.json without a tokenizer.model.
void tokenizer_json(Input input) {
  std::filesystem::create_directory(folder() / "alone");
  const std::filesystem::path file = file_of("alone/tokenizer.json", input);
  try {
    tokenize(Tokenizer(file.parent_path()));
  } catch (const Error&) {
  }
}

void json(Input input) {
  try {
    const Json value = parse_json(text_of(input), "the text");
    if (parse_json(value.dump(), "its copy") != value) __builtin_trap();
  } catch (const Error&) {
  }
}

void model_config(Input input) {
  const std::filesystem::path config = file_of("config.json", input);
  file_of("preprocessor_config.json", input);
  for (const auto read :
       {+[](const std::filesystem::path& path) { (void)read_model_config(path).parameter_count(); },
        +[](const std::filesystem::path& path) { (void)read_siglip_config(path).parameter_count(); },
        +[](const std::filesystem::path&) { (void)read_preprocessor(folder(), 224); }}) {
    try {
      read(config);
    } catch (const Error&) {
    }
  }
}

void calibration(Input input) {
  try {
    const Calibration read(small_model(), file_of("calibration.json", input), "f");
    (void)read.checksum();
  } catch (const Error&) {
  }
}

void npz(Input input) {
  try {
    const NpzFile file(file_of("vae-oid.npz", input));
    for (const std::string& name : file.names()) (void)file.array(name).shape_text();
    (void)MaskDecoder(file_of("vae-oid.npz", input)).decode(std::vector<int>(MaskDecoder::kCodesOfMask, 5));
  } catch (const Error&) {
  }
}

void packed_cache(Input input) {
  PackedCache cache(file_of("packed.safetensors", input), "o");
  std::vector<std::byte> bytes(16);
  (void)cache.read("a", bytes);
  cache.keep("a", bytes);
  (void)cache.finish();
}

}  // namespace palisade::fuzz
