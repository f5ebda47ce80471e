#include "model/config/model_shapes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace palisade;

TEST_CASE("the published shapes are those of the released configurations") {
  const std::string folder = PALISADE_SOURCE_DIR "/tests/golden/reference/released_configs/";
  const std::pair<const char*, const char*> kPairs[] = {{"paligemma-3b-224", "paligemma-3b-pt-224.json"},
                                                        {"paligemma2-3b-224", "paligemma2-3b-pt-224.json"},
                                                        {"paligemma2-10b-448", "paligemma2-10b-448.json"}};
  for (const auto& [name, file] : kPairs) {
    CAPTURE(name);
    const ModelConfig shape = config_of_shape(name).value(), released = read_model_config(folder + file);
    CHECK(shape.parameter_count() == released.parameter_count());
    CHECK(shape.vision.image_size == released.vision.image_size);
    CHECK(shape.vision.patch_size == released.vision.patch_size);
    CHECK(shape.vision.layers == released.vision.layers);
    CHECK(shape.vision.heads == released.vision.heads);
    CHECK(shape.text.architecture == released.text.architecture);
    CHECK(shape.text.layers == released.text.layers);
    CHECK(shape.text.heads == released.text.heads);
    CHECK(shape.text.kv_heads == released.text.kv_heads);
    CHECK(shape.text.head_dim == released.text.head_dim);
    CHECK(shape.text.attention_softcap == released.text.attention_softcap);
    CHECK(shape.text.final_softcap == released.text.final_softcap);
    CHECK(shape.text.query_pre_attn_scalar == released.text.query_pre_attn_scalar);
    CHECK(shape.text.max_position_embeddings == released.text.max_position_embeddings);
  }
}

TEST_CASE("every shape has a name of its own and divides its width into its heads") {
  const std::vector<std::string> names = shape_names();
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
  CHECK(names.size() >= 14);
  for (const std::string& name : names) {
    CAPTURE(name);
    const ModelConfig config = config_of_shape(name).value();
    CHECK(config.vision.width % config.vision.heads == 0);
    CHECK(config.vision.image_size % config.vision.patch_size == 0);
    CHECK(config.text.heads % config.text.kv_heads == 0);
  }
  CHECK_FALSE(config_of_shape("paligemma-5b").has_value());
}

TEST_CASE("the 28b shape has about as many parameters as its name says") {
  const double parameters = double(config_of_shape("paligemma2-28b-224")->parameter_count());
  CHECK(parameters > 27e9);
  CHECK(parameters < 29e9);
}
