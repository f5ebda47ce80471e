// Model folders as today's tools write them. The expected ids are those of transformers 5.24 (generate,
// greedy, 12 tokens) for the same folders.
#include <doctest/doctest.h>

#include <numeric>

#include "base/format.h"
#include "model/error.h"
#include "model/matmul/bare_matmul.h"
#include "model/siglip/siglip.h"
#include "model/weights/checkpoint.h"
#include "model/weights/checkpoint_match.h"
#include "model/weights/tensor_names.h"
#include "tests/model/folder_copy.h"

using namespace palisade;

namespace {

using Ids = std::vector<TokenId>;

struct Golden {
  const char* name;
  Ids ids;          // of the folder as it is
  Ids other_theta;  // with a rope_theta of 500,000
  Ids linear;       // with positions divided by 4
  Ids own_head;     // with reversed_rows() of the embedding as head
};

const std::vector<Golden>& goldens() {
  static const std::vector<Golden> both = {
      {"paligemma1-tiny",
       {685, 933, 702, 1095, 887, 43, 1580, 425, 2122, 382, 1},
       {664, 835, 1514, 1337, 1753, 757, 921, 1},
       {814, 2119, 493, 1910, 425, 21, 1396, 1},
       {1490, 1122, 1812, 607, 1288, 1360, 1490, 1809, 219, 1288, 1155, 1268}},
      {"paligemma2-tiny",
       {652, 1893, 652, 1009, 912, 762, 575, 993, 758, 2043, 669, 1573},
       {652, 669, 41, 762, 652, 1787, 552, 652, 1787, 552, 652, 1787},
       {652, 2015, 652, 2043, 1787, 876, 2043, 552, 802, 652, 758, 780},
       {1523, 1623, 2138, 90, 1283, 661, 1632, 498, 1523, 388, 1427, 1274}}};
  return both;
}

// The prefixes that the parts of a model may have.
struct Naming {
  const char* language;
  const char* vision;
  const char* projector;
};
constexpr Naming kNamings[] = {
    {"language_model.model.", "vision_tower.vision_model.", "multi_modal_projector."},
    {"model.language_model.", "model.vision_tower.vision_model.", "model.multi_modal_projector."},
    {"model.language_model.", "model.vision_tower.", "model.multi_modal_projector."},
    {"language_model.model.", "vision_tower.", "multi_modal_projector."},
    {"language_model.", "vision_tower.", "multi_modal_projector."},
    {"model.language_model.model.", "model.vision_tower.", "multi_modal_projector."},
};

std::string renamed(const std::string& name, const Naming& naming) {
  const auto with = [&](std::string_view part, const char* other) {
    return other + name.substr(part.size());
  };
  for (const auto& [part, other] :
       {std::pair<std::string_view, const char*>{"language_model.model.", naming.language},
        {"vision_tower.vision_model.", naming.vision},
        {"multi_modal_projector.", naming.projector}}) {
    if (name.starts_with(part)) return with(part, other);
  }
  return name;
}

void rename_all(FolderCopy::Tensors& tensors, const Naming& naming) {
  FolderCopy::Tensors others;
  for (auto& [name, tensor] : tensors) others[renamed(name, naming)] = std::move(tensor);
  tensors = std::move(others);
}

// Weights of an untied head that another program can reproduce.
FolderCopy::Tensor reversed_rows(const FolderCopy::Tensor& embedding) {
  FolderCopy::Tensor head = embedding;
  const auto width = std::size_t(embedding.shape[1]), rows = std::size_t(embedding.shape[0]);
  for (std::size_t row = 0; row < rows; ++row) {
    std::copy_n(embedding.values.begin() + std::ptrdiff_t((rows - 1 - row) * width), width,
                head.values.begin() + std::ptrdiff_t(row * width));
  }
  return head;
}

}  // namespace

TEST_CASE("a folder answers as transformers does under every name that its tensors are published with") {
  for (const Golden& golden : goldens()) {
    for (const Naming& naming : kNamings) {
      const FolderCopy folder(kModels / golden.name);
      folder.change_tensors([&](auto& tensors) { rename_all(tensors, naming); });
      CAPTURE(naming.language);
      CAPTURE(naming.vision);
      CHECK(folder.answer() == golden.ids);
    }
  }
}

TEST_CASE("a tensor under two names is one where both are the same, and refused by both names where not") {
  const FolderCopy folder(kModels / "paligemma1-tiny");
  const std::string released = "multi_modal_projector.linear.bias", newer = "model." + released;
  folder.change_tensors([&](auto& tensors) { tensors[newer] = tensors[released]; });
  CHECK(folder.answer() == goldens()[0].ids);
  folder.change_tensors([&](auto& tensors) { tensors[newer].values.back() += 1; });
  const std::string refusal = folder.refusal();
  CHECK(refusal.find("\"" + released + "\"") != std::string::npos);
  CHECK(refusal.find("\"" + newer + "\"") != std::string::npos);
}

TEST_CASE("one whole file of weights comes before an index that names shards which are gone") {
  const FolderCopy folder(kModels / "paligemma1-tiny");
  folder.change_json("model.safetensors.index.json", [](Json& json) {
    json["weight_map"] = {{"lm_head.weight", "model-00001-of-00002.safetensors"}};
  });
  CHECK(folder.answer() == goldens()[0].ids);
}

TEST_CASE("the tensors of a configuration are those that a model of it reads, and no others") {
  for (const Golden& golden : goldens()) {
    const ModelConfig config = read_model_config(kModels / golden.name);
    const auto known = known_tensors(config);
    const SafetensorsFile file(kModels / golden.name / "model.safetensors");
    for (const auto& [name, view] : file.tensors()) CHECK(known(name));
    CHECK_FALSE(known(format("language_model.model.layers.{}.self_attn.q_proj.weight", config.text.layers)));
    CHECK_FALSE(
        known(format("vision_tower.vision_model.encoder.layers.{}.mlp.fc1.bias", config.vision.layers)));
    CHECK(known("vision_tower.vision_model.embeddings.position_ids"));
    CHECK(known("language_model.model.layers.0.self_attn.rotary_emb.inv_freq"));
  }
}

TEST_CASE("a tensor that nothing reads is refused by its name in the file") {
  const FolderCopy folder(kModels / "paligemma2-tiny");
  for (const char* name : {"model.language_model.layers.4.self_attn.q_proj.weight", "score.weight",
                           "model.language_model.layers.0.self_attn.q_proj.bias"}) {
    folder.change_tensors([&](auto& tensors) { tensors[name] = {{2}, {1, 2}}; });
    CHECK(folder.refusal().find(std::string("\"") + name + "\" is read by nothing") != std::string::npos);
    folder.change_tensors([&](auto& tensors) { tensors.erase(name); });
  }
  folder.change_tensors([](auto& tensors) {
    tensors["language_model.model.layers.0.self_attn.rotary_emb.inv_freq"] = {{2}, {1, 2}};
    tensors["vision_tower.vision_model.head.probe"] = {{2}, {1, 2}};
  });
  CHECK(folder.answer() == goldens()[1].ids);
}

TEST_CASE("a SigLIP reads every tensor of its folder, and one that it does not read is refused by its name") {
  const FolderCopy folder(kModels / "siglip-tiny");
  CHECK_NOTHROW(Siglip(folder.path));
  folder.change_tensors([](auto& tensors) {
    tensors["text_model.encoder.layers.2.mlp.fc1.bias"] = {{1}, {0}};
  });
  CHECK_THROWS_WITH_AS(Siglip(folder.path),
                       doctest::Contains("\"text_model.encoder.layers.2.mlp.fc1.bias\" is read by nothing"),
                       ModelError);
}

TEST_CASE("rope_parameters, rope_scaling and rope_theta mean what they mean to transformers") {
  const auto changed = [](const char* name, const std::function<void(Json&)>& change) {
    const FolderCopy folder(kModels / name);
    folder.change_json("config.json", [&](Json& json) { change(json["text_config"]); });
    return folder.answer();
  };
  for (const Golden& golden : goldens()) {
    const Json other = {{"rope_theta", 500000.0}, {"rope_type", "default"}};
    CHECK(changed(golden.name, [](Json& text) { text["rope_theta"] = 500000.0; }) == golden.other_theta);
    CHECK(changed(golden.name, [&](Json& text) {
            text["rope_theta"] = 77.0;  // beside rope_parameters it counts for nothing
            text["rope_parameters"] = other;
          }) == golden.other_theta);
    CHECK(changed(golden.name, [](Json& text) {
            text["rope_theta"] = 500000.0;
            text["rope_parameters"] = {{"rope_type", "default"}};
            text["rope_scaling"] = nullptr;
          }) == golden.other_theta);
    CHECK(changed(golden.name, [&](Json& text) {
            text["rope_theta"] = 10000.0;
            text["rope_scaling"] = {{"type", "linear"}, {"factor", 4.0}};
            text["rope_parameters"] = other;
          }) == golden.linear);
    CHECK(changed(golden.name, [](Json& text) {
            text["rope_parameters"] = {{"rope_theta", 10000.0}, {"rope_type", "linear"}, {"factor", 4.0}};
          }) == golden.linear);
  }
  for (const char* type : {"dynamic", "yarn", "llama3", "longrope"}) {
    CHECK_THROWS_WITH_AS(changed("paligemma1-tiny",
                                 [&](Json& text) {
                                   text["rope_scaling"] = {{"rope_type", type}, {"factor", 2.0}};
                                 }),
                         doctest::Contains((std::string("\"rope_type\" is \"") + type).c_str()), ModelError);
  }
}

TEST_CASE(
    "a head of its own is the head, one that equals the embedding is tied, and an untied one must be there") {
  for (const Golden& golden : goldens()) {
    const FolderCopy folder(kModels / golden.name);
    const ModelConfig plain = read_model_config(folder.path);
    for (const char* name : {"lm_head.weight", "language_model.lm_head.weight", "model.lm_head.weight"}) {
      folder.change_tensors(
          [&](auto& tensors) { tensors[name] = reversed_rows(tensors.at(kEmbeddingTensor)); });
      CHECK(folder.answer() == golden.own_head);
      const ModelConfig with_head = PaliGemma(folder.path).config();
      CHECK(with_head.parameter_count() ==
            plain.parameter_count() + std::uint64_t(plain.text.vocabulary) * std::uint64_t(plain.text.width));
      folder.change_tensors([&](auto& tensors) { tensors.erase(name); });
    }
    folder.change_json("config.json", [](Json& json) { json["tie_word_embeddings"] = false; });
    CHECK(folder.refusal().find("\"tie_word_embeddings\" is false") != std::string::npos);
    folder.change_tensors([](auto& tensors) { tensors["lm_head.weight"] = tensors.at(kEmbeddingTensor); });
    CHECK(folder.answer() == golden.ids);
    CHECK(PaliGemma(folder.path).config().parameter_count() == plain.parameter_count());
    // The embedding stored only under the head's name, which is possible for a tied model.
    folder.change_tensors([](auto& tensors) { tensors.erase(kEmbeddingTensor); });
    CHECK(folder.answer() == golden.ids);
  }
}

TEST_CASE("a head of its own is there in every precision, and packed weights bring it back") {
  const FolderCopy folder(kModels / "paligemma1-tiny");
  folder.change_tensors(
      [&](auto& tensors) { tensors["lm_head.weight"] = reversed_rows(tensors.at(kEmbeddingTensor)); });
  const test::TestFolder packed;
  for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8}) {
    if (!has_matmul(precision)) continue;
    std::vector<std::vector<float>> logits;
    for (int start = 0; start < 2; ++start) {
      const PaliGemma model(folder.path, SlidingWindow::kTransformers, precision,
                            {.packed_cache = packed.path()});
      CHECK(model.config().text.own_head);
      const auto view = model.prefill({}, model.prompt_ids("caption en"), 1);
      logits.emplace_back(view.logits().begin(), view.logits().end());
    }
    CHECK(logits[0] == logits[1]);
    // The head's rows are the embedding's in reverse, so its logits are those of the tied model in reverse.
    const PaliGemma tied(kModels / "paligemma1-tiny", SlidingWindow::kTransformers, precision);
    const auto plain = tied.prefill({}, tied.prompt_ids("caption en"), 1);
    const std::vector<float> reverse(plain.logits().rbegin(), plain.logits().rend());
    for (std::size_t i = 0; i < reverse.size(); ++i)
      CHECK(logits[0][i] == doctest::Approx(reverse[i]).epsilon(1e-4));
  }
}
