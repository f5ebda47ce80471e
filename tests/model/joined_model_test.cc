#include "model/join/joined_model.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <vector>

#include "model/text/extended_vocabulary.h"
#include "model/text/tokenizer.h"
#include "model/weights/checkpoint.h"
#include "model/weights/tensor_names.h"
#include "tests/model/folder_copy.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

const fs::path kJoin = fs::path(PALISADE_SOURCE_DIR) / "tests/golden/join";
constexpr const char* kPairs[] = {"p14-gemma", "p16-gemma2", "odd-padded"};
const fs::path kTower = kJoin / "vision/siglip-p14", kGemma = kJoin / "language/gemma";

// What was joined of a golden pair, or of others.
struct Joined {
  test::TestFolder place;
  fs::path folder = place.path() / "joined";

  Joined(const fs::path& vision, const fs::path& language, std::uint64_t seed = 0) {
    write_joined_model({.vision = vision, .language = language, .seed = seed}, folder, "joined");
  }
  std::vector<float> tensor(const std::string& name) const {
    return SafetensorsFile(folder / "model.safetensors").at(name).to_floats();
  }
};

// The refusal of joining these; nothing is left behind then.
std::string refusal_of(const fs::path& vision, const fs::path& language) {
  const test::TestFolder place;
  try {
    write_joined_model({.vision = vision, .language = language}, place.path() / "joined", "joined");
  } catch (const Error& error) {
    CHECK(fs::is_empty(place.path()));
    return error.what();
  }
  return "";
}

// Their mean, standard deviation and number of different ones.
struct Spread {
  double mean = 0, deviation = 0;
  std::size_t different = 0;
};
Spread spread_of(std::span<const float> values) {
  Spread spread;
  for (const float value : values) spread.mean += value / double(values.size());
  for (const float value : values)
    spread.deviation += std::pow(value - spread.mean, 2) / double(values.size());
  spread.deviation = std::sqrt(spread.deviation);
  spread.different = std::set<float>(values.begin(), values.end()).size();
  return spread;
}

TEST_CASE("a joined folder has the tensors of the golden one bit for bit, but for the new tokens' rows") {
  for (const char* const pair : kPairs) {
    CAPTURE(pair);
    const Json expected = read_json(kJoin / ("expected_" + std::string(pair) + ".json"));
    const Joined joined(kJoin / expected["vision"].get<std::string>(),
                        kJoin / expected["language"].get<std::string>());
    const SafetensorsFile golden(kJoin / "joined" / pair / "model.safetensors"),
        made(joined.folder / "model.safetensors");
    REQUIRE(made.tensors().size() == golden.tensors().size());
    for (const auto& [name, tensor] : golden.tensors()) {
      CAPTURE(name);
      CHECK(made.at(name).type == DataType::kF32);
      REQUIRE(made.at(name).shape == tensor.shape);
      if (name != kEmbeddingTensor) {
        CHECK(made.at(name).bytes() == tensor.bytes());
        continue;
      }
      REQUIRE(tensor.shape[0] == expected["rows"].get<int>());
      const std::vector<float> rows = made.at(name).to_floats(), golden_rows = tensor.to_floats();
      const auto base = std::size_t(expected["base_pieces"].get<int>()) * std::size_t(tensor.shape[1]);
      CHECK(std::equal(rows.begin(), rows.begin() + std::ptrdiff_t(base), golden_rows.begin()));
      const auto drawn = std::span(rows).subspan(base);
      const Spread spread = spread_of(drawn);
      CHECK(std::abs(spread.mean) < 0.001);
      CHECK(spread.deviation == doctest::Approx(0.02).epsilon(0.025));
      CHECK(spread.different > drawn.size() * 99 / 100);
    }
  }
}

TEST_CASE("a joined folder has the settings of the golden one, and its tokenizer byte for byte") {
  for (const char* const pair : kPairs) {
    CAPTURE(pair);
    const Json expected = read_json(kJoin / ("expected_" + std::string(pair) + ".json"));
    const Joined joined(kJoin / expected["vision"].get<std::string>(),
                        kJoin / expected["language"].get<std::string>());
    const fs::path golden = kJoin / "joined" / pair;
    for (const char* const file : {"config.json", "generation_config.json", "preprocessor_config.json",
                                   "added_tokens.json", "special_tokens_map.json"}) {
      CAPTURE(file);
      CHECK(read_json(joined.folder / file) == read_json(golden / file));
    }
    CHECK(test::bytes_of(joined.folder / "tokenizer.model") == test::bytes_of(golden / "tokenizer.model"));
  }
}

TEST_CASE("a joined tokenizer.json is that of a PaliGemma, and reads as its tokenizer.model does") {
  const Joined joined(kTower, kGemma);
  const Json made = read_json(joined.folder / "tokenizer.json"),
             golden = read_json(kModels / "paligemma1-tiny/tokenizer.json");
  CHECK(made["model"]["vocab"] == golden["model"]["vocab"]);
  CHECK(made["model"]["merges"] == golden["model"]["merges"]);
  CHECK(made["added_tokens"].size() == golden["added_tokens"].size());
  CHECK(made["added_tokens"].back() == golden["added_tokens"].back());
  CHECK(made["post_processor"] == golden["post_processor"]);
  const Json settings = read_json(joined.folder / "tokenizer_config.json"),
             golden_settings = read_json(kModels / "paligemma1-tiny/tokenizer_config.json");
  CHECK(settings["added_tokens_decoder"]["2152"] == golden_settings["added_tokens_decoder"]["2152"]);
  CHECK(settings["add_bos_token"] == false);

  const std::string text = "detect a red square; <loc0000><loc1023> car <seg127>";
  const auto ids = Tokenizer(joined.folder).encode(text);
  CHECK(ids == Tokenizer(kModels / "paligemma1-tiny").encode(text));
  fs::remove(joined.folder / "tokenizer.model");
  CHECK(Tokenizer(joined.folder).encode(text) == ids);
  CHECK(Tokenizer(joined.folder).added_id("<image>") == 2152);
}

TEST_CASE("the same seed draws the same rows, and another one others") {
  const Joined one(kTower, kGemma, 7), same(kTower, kGemma, 7), other(kTower, kGemma, 8);
  CHECK(one.tensor(kEmbeddingTensor) == same.tensor(kEmbeddingTensor));
  CHECK(one.tensor(kEmbeddingTensor) != other.tensor(kEmbeddingTensor));
}

TEST_CASE("what cannot be joined is refused by its name, and nothing is written") {
  const Json cases = read_json(kJoin / "refuse/cases.json");
  REQUIRE(cases["cases"].size() == 12);
  for (const Json& one : cases["cases"]) {
    const fs::path folder = kJoin / one["folder"].get<std::string>(),
                   other = kJoin / one["other"].get<std::string>();
    CAPTURE(folder);
    const std::string message =
        one["side"] == "vision" ? refusal_of(folder, other) : refusal_of(other, folder);
    CAPTURE(message);
    REQUIRE(message.starts_with(folder.string()));
    const std::string said = message.substr(folder.string().size());
    for (const Json& word : one["message_names"])
      CHECK(said.find(word.get<std::string>()) != std::string::npos);
  }
  CHECK(refusal_of(kGemma, kTower).find("\"gemma\": Gemma, which sees no pictures") != std::string::npos);
  CHECK(refusal_of(kModels / "paligemma1-tiny", kGemma).find("joined already") != std::string::npos);
  CHECK(refusal_of("google/siglip-base-patch16-224", kGemma).find("hf download") != std::string::npos);
}

TEST_CASE("a folder that is there already is left as it is") {
  const test::TestFolder place;
  place.write("kept", "text");
  CHECK_THROWS_WITH_AS(write_joined_model({.vision = kTower, .language = kGemma}, place.path(), "joined"),
                       doctest::Contains("is there already"), ModelError);
  CHECK(fs::exists(place.path() / "kept"));
}

struct ChangedConfig {
  const char* key;
  Json value;
  const char* refusal;
};

TEST_CASE("a configuration that its weights do not follow, or that is not done here, is refused") {
  const ChangedConfig towers[] = {
      {"hidden_size", 64, "has shape"},     {"num_hidden_layers", 3, "layers.2"},
      {"num_hidden_layers", 1, "layers.1"}, {"patch_size", 7, "image_size"},
      {"patch_size", 0, "patch_size"},      {"hidden_act", "quick_gelu", "hidden_act"},
      {"num_channels", 1, "num_channels"},  {"image_size", -56, "image_size"}};
  for (const ChangedConfig& change : towers) {
    const FolderCopy copy(kTower);
    copy.change_json("config.json", [&](Json& json) { json["vision_config"][change.key] = change.value; });
    CAPTURE(change.key);
    CHECK(refusal_of(copy.path, kGemma).find(change.refusal) != std::string::npos);
  }
  const ChangedConfig gemmas[] = {{"hidden_size", 64, "has shape"},
                                  {"vocab_size", 1100, "embed_tokens"},
                                  {"num_hidden_layers", 4, "layers.3"},
                                  {"num_hidden_layers", 2, "layers.2"},
                                  {"num_key_value_heads", 3, "num_key_value_heads"},
                                  {"hidden_activation", "relu", "hidden_activation"},
                                  {"attention_bias", true, "attention_bias"},
                                  {"max_position_embeddings", 16, "max_position_embeddings"},
                                  {"tie_word_embeddings", false, "lm_head"},
                                  {"quantization_config", {{"bits", 4}}, "quantization_config"},
                                  {"model_type", "", "model_type"}};
  for (const ChangedConfig& change : gemmas) {
    const FolderCopy copy(kGemma);
    copy.change_json("config.json", [&](Json& json) { json[change.key] = change.value; });
    CAPTURE(change.key);
    CHECK(refusal_of(kTower, copy.path).find(change.refusal) != std::string::npos);
  }
}

TEST_CASE("damaged weights and indices that name what is not there are refused") {
  for (const std::size_t size : {0, 4, 100, 3000, 200000}) {
    for (const fs::path& side : {kTower, kGemma}) {
      const FolderCopy copy(side);
      fs::resize_file(copy.path / "model.safetensors", size);
      CHECK(!(side == kTower ? refusal_of(copy.path, kGemma) : refusal_of(kTower, copy.path)).empty());
    }
  }
  const FolderCopy shards(kJoin / "language/gemma2-bf16");
  fs::remove(shards.path / "model-00002-of-00002.safetensors");
  CHECK(refusal_of(kTower, shards.path).find("model-00002-of-00002.safetensors") != std::string::npos);
  shards.change_json("model.safetensors.index.json", [](Json& json) {
    for (Json& shard : json["weight_map"]) shard = "../elsewhere.safetensors";
  });
  CHECK(refusal_of(kTower, shards.path).find("names no file of this folder") != std::string::npos);

  const FolderCopy adapter(kGemma);
  adapter.change_tensors([](FolderCopy::Tensors& tensors) {
    tensors["model.layers.0.self_attn.q_proj.lora_A.weight"] = {{1}, {0.5f}};
  });
  CHECK(refusal_of(kTower, adapter.path).find("lora_A") != std::string::npos);
  const FolderCopy headed(kGemma);
  headed.change_tensors([](FolderCopy::Tensors& tensors) {
    tensors["lm_head.weight"] = {{2, 2}, {1, 2, 3, 4}};
  });
  CHECK(refusal_of(kTower, headed.path).find("lm_head") != std::string::npos);
}

TEST_CASE("a broken or extended tokenizer is refused") {
  const FolderCopy broken(kGemma);
  fs::remove(broken.path / "tokenizer.json");
  fs::resize_file(broken.path / "tokenizer.model", 1000);
  CHECK(refusal_of(kTower, broken.path).find("tokenizer.model") != std::string::npos);
  const FolderCopy added(kGemma);
  added.change_json("added_tokens.json", [](Json& json) { json["<mine>"] = 1000; });
  CHECK(refusal_of(kTower, added.path).find("<mine>") != std::string::npos);
}

TEST_CASE("settings of later versions and parts left to their defaults are joined as well") {
  const FolderCopy gemma(kJoin / "language/gemma2-bf16"), tower(kTower);
  gemma.change_json("config.json", [](Json& json) {
    json.erase("torch_dtype");
    json.erase("rope_theta");
    json["dtype"] = "bfloat16";
    json["use_bidirectional_attention"] = false;
    json["rope_parameters"] = {{"rope_theta", 20000.0}, {"rope_type", "default"}};
    json["attn_logit_softcapping"] = nullptr;
  });
  tower.change_json("config.json", [](Json& json) { json["vision_config"].erase("model_type"); });
  fs::remove(tower.path / "preprocessor_config.json");
  const Joined joined(tower.path, gemma.path);
  const Json config = read_json(joined.folder / "config.json");
  CHECK(config["text_config"]["rope_theta"] == 20000.0);
  CHECK(!config["text_config"].contains("dtype"));
  CHECK(!config["text_config"].contains("use_bidirectional_attention"));
  CHECK(config["text_config"]["attn_logit_softcapping"].is_null());
  CHECK(config["vision_config"]["model_type"] == "siglip_vision_model");
  CHECK(read_json(joined.folder / "preprocessor_config.json")["size"]["height"] == 56);
  const ModelConfig read = read_model_config(joined.folder);
  CHECK(!read.text.attention_softcap);
  CHECK(read.text.rope_theta == 20000.0f);
}

TEST_CASE("a tower whose tensors stand without their prefix is the same tower") {
  const fs::path tower = kJoin / "vision/siglip-vision-p16";
  const FolderCopy bare(tower);
  bare.change_tensors([](FolderCopy::Tensors& tensors) {
    FolderCopy::Tensors renamed;
    for (const auto& [name, tensor] : tensors)
      renamed[name.substr(std::string("vision_model.").size())] = tensor;
    tensors = std::move(renamed);
  });
  const Joined with(tower, kGemma), without(bare.path, kGemma);
  CHECK(test::bytes_of(with.folder / "model.safetensors") ==
        test::bytes_of(without.folder / "model.safetensors"));
  bare.change_tensors([](FolderCopy::Tensors& tensors) {
    tensors["encoder.layers.3.mlp.fc1.bias"] = {{1}, {0.5f}};
  });
  CHECK(refusal_of(bare.path, kGemma).find("encoder.layers.3") != std::string::npos);
}

TEST_CASE("a SentencePiece model keeps its fields in their bytes when pieces are added") {
  const std::string file = test::text_of(kGemma / "tokenizer.model"),
                    whole = test::text_of(kModels / "paligemma1-tiny/tokenizer.model");
  CHECK(with_pieces(file, {}, "tokenizer.model") == file);
  CHECK(with_pieces(file, location_and_segment_tokens(), "tokenizer.model") == whole);
  CHECK_THROWS_WITH_AS(with_pieces(file.substr(0, 100), {}, "tokenizer.model"),
                       doctest::Contains("tokenizer.model: not a usable SentencePiece model"), ModelError);
}

}  // namespace
}  // namespace palisade
