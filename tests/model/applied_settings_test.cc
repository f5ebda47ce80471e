// The settings in a folder's configuration take effect: the expected answers are those of transformers 5.24
// (generate, greedy, 12 tokens) for a folder with the same change.
#include <doctest/doctest.h>

#include "tests/model/folder_copy.h"

using namespace palisade;

namespace {

using Ids = std::vector<TokenId>;

struct Change {
  const char* folder;
  const char* file;
  Json values;  // merged into the file
  Ids ids;
};

void check_answers(const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    const FolderCopy folder(kModels / change.folder);
    folder.change_json(change.file, [&](Json& json) { json.merge_patch(change.values); });
    CAPTURE(change.values.dump());
    CHECK(folder.answer() == change.ids);
  }
}

Json of_text(const Json& values) {
  return {{"text_config", values}};
}

const Ids kPlain1 = {685, 933, 702, 1095, 887, 43, 1580, 425, 2122, 382, 1};
const Ids kPlain2 = {652, 1893, 652, 1009, 912, 762, 575, 993, 758, 2043, 669, 1573};

}  // namespace

TEST_CASE("the language model is the one that text_config describes") {
  const Json two_full = {"full_attention", "sliding_attention", "full_attention", "sliding_attention"};
  const Json all_full = {"full_attention", "full_attention", "full_attention", "full_attention"};
  const Json all_slide = {"sliding_attention", "sliding_attention", "sliding_attention", "sliding_attention"};
  const Ids square_root = {652, 2015, 652, 2015, 652, 2015, 652, 2015, 652, 2015, 652, 1570};
  check_answers({
      {"paligemma2-tiny",
       "config.json",
       of_text({{"sliding_window", 8}}),
       {652, 1404, 1677, 1760, 881, 821, 429, 41, 850, 850, 2038, 669}},
      {"paligemma2-tiny",
       "config.json",
       of_text({{"layer_types", two_full}, {"sliding_window", 8}}),
       {652, 1787, 693, 510, 693, 960, 952, 632, 1810, 927, 1677, 723}},
      {"paligemma2-tiny",
       "config.json",
       of_text({{"layer_types", all_slide}, {"sliding_window", 8}}),
       {652, 540, 652, 1697, 32, 19, 758, 2043, 1787, 693, 1022, 1420}},
      {"paligemma2-tiny",
       "config.json",
       of_text({{"layer_types", all_full}}),
       {652, 1893, 652, 1266, 1931, 1009, 881, 447, 1910, 1661, 892, 2015}},
      {"paligemma2-tiny", "config.json", of_text({{"query_pre_attn_scalar", 1000}}), square_root},
      {"paligemma2-tiny", "config.json", of_text({{"attn_logit_softcapping", 0.5}}), square_root},
      {"paligemma2-tiny",
       "config.json",
       of_text({{"rms_norm_eps", 0.1}}),
       {652, 1787, 552, 652, 1009, 652, 2043, 669, 653, 701, 1899, 446}},
      {"paligemma1-tiny", "config.json", of_text({{"rms_norm_eps", 0.1}}), {685, 933, 399, 1325, 1}},
      // These change nothing, neither in transformers nor here.
      {"paligemma1-tiny", "config.json", of_text({{"hidden_act", "gelu"}}), kPlain1},
      {"paligemma1-tiny", "config.json", of_text({{"use_bidirectional_attention", false}}), kPlain1},
      {"paligemma1-tiny", "config.json", of_text({{"query_pre_attn_scalar", 1000}}), kPlain1},
      {"paligemma2-tiny", "config.json", of_text({{"hidden_act", "relu"}, {"bos_token_id", 5}}), kPlain2},
      {"paligemma1-tiny", "config.json", {{"bos_token_id", 5}, {"pad_token_id", 7}}, kPlain1},
      {"paligemma1-tiny", "config.json", {{"vision_config", {{"vision_use_head", true}}}}, kPlain1},
      {"paligemma1-tiny", "generation_config.json", {{"eos_token_id", 933}}, {685, 933}},
  });
}

TEST_CASE("pictures are prepared as preprocessor_config.json says") {
  const char* const file = "preprocessor_config.json";
  const Ids bilinear = {907, 1452, 1};
  check_answers({
      {"paligemma1-tiny", file, {{"resample", 2}}, bilinear},
      {"paligemma1-tiny", file, {{"do_normalize", false}}, {556, 814, 1}},
      {"paligemma2-tiny",
       file,
       {{"do_normalize", false}},
       {652, 1060, 418, 552, 652, 833, 552, 652, 833, 652, 956, 418}},
      {"paligemma1-tiny",
       file,
       {{"do_rescale", false}},
       {1928, 560, 1464, 651, 1570, 1283, 847, 29, 926, 1816, 670, 895}},
      {"paligemma2-tiny",
       file,
       {{"do_rescale", false}},
       {1104, 988, 941, 941, 941, 941, 941, 941, 941, 941, 941, 626}},
      {"paligemma1-tiny", file, {{"rescale_factor", 0.01}}, {2126, 1}},
      {"paligemma1-tiny",
       file,
       {{"image_mean", 0.2}},
       {425, 876, 1099, 537, 506, 480, 1474, 467, 1377, 568, 835, 867}},
      {"paligemma1-tiny", file, {{"image_mean", {0.2, 0.4, 0.6}}}, {1337, 375, 814, 1184, 1}},
      {"paligemma1-tiny", file, {{"image_std", 0.2}}, {454, 1}},
      {"paligemma1-tiny",
       file,
       {{"image_std", {0.2, 0.4, 0.6}}},
       {755, 1099, 858, 1816, 926, 890, 844, 858, 844, 858, 1580, 2071}},
      {"paligemma1-tiny", file, {{"size", {56, 56}}}, kPlain1},
      {"paligemma1-tiny", file, {{"do_convert_rgb", true}, {"crop_size", 20}}, kPlain1},
      {"paligemma1-tiny", file, {{"image_processor_type", "SiglipImageProcessorFast"}}, kPlain1},
  });
}

TEST_CASE("image_processor of processor_config.json stands for preprocessor_config.json, and as a whole") {
  const Json other = {{"image_processor", {{"image_mean", {0.2, 0.4, 0.6}}, {"size", {56, 56}}}}};
  const Json partial = {{"image_processor", {{"size", {56, 56}}, {"image_seq_length", 16}}}};
  check_answers(
      {{"paligemma1-tiny", "processor_config.json", other, {1337, 375, 814, 1184, 1}},
       {"paligemma1-tiny", "processor_config.json", {{"image_mean", {0.2, 0.4, 0.6}}}, kPlain1},
       {"paligemma1-tiny", "processor_config.json", {{"processor_class", "PaliGemmaProcessor"}}, kPlain1}});
  const FolderCopy folder(kModels / "paligemma1-tiny");
  folder.change_json("preprocessor_config.json", [](Json& json) { json["image_mean"] = {0.2, 0.4, 0.6}; });
  folder.change_json("processor_config.json", [&](Json& json) { json = partial; });
  CHECK(folder.answer() == kPlain1);
  const FolderCopy second(kModels / "paligemma2-tiny");
  const Json pictures = read_json(second.path / "preprocessor_config.json");
  std::filesystem::remove(second.path / "preprocessor_config.json");
  second.change_json("processor_config.json", [&](Json& json) {
    json["image_processor"] = pictures;
    json["image_processor"].merge_patch({{"image_mean", {0.2, 0.4, 0.6}}, {"resample", 2}});
  });
  CHECK(second.answer() == Ids{652, 1697, 652, 1787, 552, 652, 2043, 693, 368, 758, 652, 1787});
}

TEST_CASE(
    "a size that is no square of the model's, null where a value is needed, and other filters are refused") {
  const auto refusal = [](const Json& values) {
    const FolderCopy folder(kModels / "paligemma1-tiny");
    folder.change_json("preprocessor_config.json", [&](Json& json) {
      for (const auto& [key, value] : values.items()) json[key] = value;
    });
    return folder.refusal();
  };
  for (const Json& size :
       {Json(56), Json(224), Json{{"shortest_edge", 56}}, Json{{"height", 56}}, Json{{"longest_edge", 56}},
        Json{{"height", 56}, {"width", 112}}, Json{{"max_height", 56}, {"max_width", 56}}, Json(nullptr)})
    CHECK(refusal({{"size", size}}).find("\"size\" is ") != std::string::npos);
  for (const Json& filter : {Json(0), Json(1), Json(4), Json(5), Json("BICUBIC"), Json(nullptr), Json(true)})
    CHECK(refusal({{"resample", filter}}).find("\"resample\" is ") != std::string::npos);
  for (const char* key : {"rescale_factor", "image_mean", "image_std"})
    CHECK(refusal({{key, nullptr}}).find("\"" + std::string(key) + "\" is null") != std::string::npos);
}

TEST_CASE(
    "generation_config.json without an end of answers, and another <image> than the tokenizer's, are "
    "refused") {
  const FolderCopy folder(kModels / "paligemma1-tiny");
  folder.change_json("generation_config.json", [](Json& json) { json["eos_token_id"] = nullptr; });
  CHECK(folder.refusal().find("generation_config.json: \"eos_token_id\" is missing") != std::string::npos);
  folder.change_json("generation_config.json", [](Json& json) { json["eos_token_id"] = 1; });
  folder.change_json("config.json", [](Json& json) { json["image_token_index"] = 2100; });
  CHECK(folder.refusal().find("<image> is token 2152 of the tokenizer, and 2100 in config.json") !=
        std::string::npos);
}
