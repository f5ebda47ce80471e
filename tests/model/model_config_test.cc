#include "model/config/model_config.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>

#include "base/format.h"
#include "base/json.h"
#include "model/error.h"
#include "tests/model/golden.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;

struct TemporaryFile {
  fs::path path = fs::temp_directory_path() / format("palisade-config-{}.json", ::getpid());
  explicit TemporaryFile(const std::string& text) { std::ofstream(path) << text; }
  ~TemporaryFile() { fs::remove(path); }
};

Json released() {
  std::ifstream file(kReference / "released_configs/paligemma-3b-pt-224.json");
  return Json::parse(file);
}

std::string config_error(const std::string& text) {
  const TemporaryFile file(text);
  try {
    read_model_config(file.path);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the released configurations give their published parameter counts") {
  CHECK(read_model_config(kReference / "released_configs/paligemma-3b-pt-224.json").parameter_count() ==
        2'923'466'480ull);
  CHECK(read_model_config(kReference / "released_configs/paligemma2-3b-pt-224.json").parameter_count() ==
        3'032'242'416ull);
  CHECK(read_model_config(kReference / "released_configs/paligemma2-10b-448.json").parameter_count() ==
        9'663'523'568ull);
}

TEST_CASE("what a released file leaves out is transformers' default") {
  const ModelConfig config = read_model_config(kReference / "released_configs/paligemma2-3b-pt-224.json");
  CHECK(config.text.head_dim == 256);
  CHECK(config.text.heads == 8);
  CHECK(config.text.kv_heads == 4);
  CHECK(config.text.rope_theta == 10000.0f);
  CHECK(config.vision.image_size == 224);
  CHECK(config.image_tokens() == 256);
  CHECK(config.text.attention_softcap == 50.0f);
  // Gemma 2's chat format ends with 107; PaliGemma does not.
  CHECK(config.eos_tokens == std::vector<TokenId>{1});
}

TEST_CASE("a wrong configuration is named by file and key") {
  const auto broken = [](auto change) {
    Json json = released();
    change(json);
    return config_error(json.dump());
  };
  CHECK(broken([](Json& json) { json["model_type"] = "llava"; }).find("\"model_type\"") != std::string::npos);
  CHECK(broken([](Json& json) { json.erase("text_config"); }).find("\"text_config\" is missing") !=
        std::string::npos);
  CHECK(broken([](Json& json) { json["text_config"]["hidden_size"] = -1; }).find("\"hidden_size\"") !=
        std::string::npos);
  CHECK(broken([](Json& json) { json["text_config"]["hidden_size"] = 1e30; }).find("\"hidden_size\"") !=
        std::string::npos);
  CHECK(broken([](Json& json) { json["text_config"]["hidden_size"] = 18446744073709551615ull; }) != "");
  CHECK(broken([](Json& json) { json["text_config"]["num_key_value_heads"] = 3; }) != "");
  CHECK(broken([](Json& json) { json["text_config"]["head_dim"] = 7; }) != "");
  CHECK(broken([](Json& json) { json["vision_config"]["patch_size"] = 0; }) != "");
  CHECK(broken([](Json& json) { json["vision_config"]["num_attention_heads"] = 7; }) != "");
  CHECK(broken([](Json& json) { json["vision_config"]["hidden_act"] = "relu"; }).find("relu") !=
        std::string::npos);
  CHECK(broken([](Json& json) { json["eos_token_id"] = "one"; }) != "");
  CHECK(broken([](Json& json) { json = Json::array(); }) != "");
}

TEST_CASE("hostile JSON is refused, not followed") {
  CHECK(config_error(std::string(100'000, '[')).find("64 levels") != std::string::npos);
  CHECK(config_error(R"({"model_type": "paligemma", "model_type": "paligemma"})").find("stands twice") !=
        std::string::npos);
  CHECK(config_error("").find("not valid JSON") != std::string::npos);
  CHECK(config_error("{\"a\": \"\xff\"}").find("not valid JSON") != std::string::npos);
  CHECK_THROWS_AS(read_model_config("/nowhere/at/all"), ModelError);
}
