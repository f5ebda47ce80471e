// Golden data of SigLIP: both towers, embeddings and the score of every picture with every text.
#include <algorithm>
#include <map>

#include "base/json.h"
#include "ingest/pictures/picture.h"
#include "model/siglip/siglip.h"
#include "model/weights/safetensors.h"
#include "service/verify/tolerance.h"
#include "service/verify/verify.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

using Tensors = std::map<std::string, std::vector<float>>;

void append(std::vector<float>& all, ConstMatrixView rows) {
  for (int row = 0; row < rows.rows; ++row) all.insert(all.end(), rows.row(row).begin(), rows.row(row).end());
}

// Computes every tensor of the case, by golden name.
Tensors compute(const Siglip& model, std::span<const Image> images, std::span<const std::string> texts) {
  Tensors tensors;
  const Observer collect = [&](std::string_view name, ConstMatrixView rows) {
    append(tensors[name == "vision.post_layernorm" ? "vision.last_hidden" : std::string(name)], rows);
  };
  const Matrix image_embeds = model.embed(images, collect), text_embeds = model.embed(texts, collect);
  const Matrix logits = model.logits(image_embeds, text_embeds);
  append(tensors["image_embeds"], image_embeds);
  append(tensors["text_embeds"], text_embeds);
  append(tensors["logits_per_image"], logits);
  std::ranges::transform(tensors["logits_per_image"], std::back_inserter(tensors["probs"]), probability_of);
  return tensors;
}

double tolerance_of(const std::string& name) {
  if (name == "pixel_values") return kPixelTolerance;
  return name == "logits_per_image" ? kLogitTolerance : kTowerTolerance;
}

void compare(const Siglip& model, std::span<const std::string> texts, const SafetensorsFile& golden,
             Tensors& computed, VerificationReport& report) {
  for (const auto& [name, tensor] : golden.tensors()) {
    if (name == "input_ids") {
      std::vector<TokenId> ids;
      for (const std::string& text : texts) {
        const auto one = model.tokenizer().encode(text, model.config().text.positions);
        ids.insert(ids.end(), one.begin(), one.end());
      }
      std::vector<TokenId> expected;
      for (const std::int64_t id : tensor.to_integers()) expected.push_back(TokenId(id));
      report.compare_ids(name, expected, ids);
    } else if (const auto found = computed.find(name); found != computed.end()) {
      const auto expected = tensor.to_floats();
      // pixel_values holds the first pictures alone.
      std::vector<float>& actual = found->second;
      if (name == "pixel_values" && actual.size() > expected.size()) actual.resize(expected.size());
      report.compare(name, expected, actual, tolerance_of(name));
    } else {
      report.skip(name, "not known how to compute it");
    }
  }
}

}  // namespace

void verify_siglip_case(const fs::path& root, const fs::path& file, VerificationReport& report) {
  const Json json = read_json(file);
  const Siglip model(root / "models" / file.parent_path().filename());
  const auto texts = json.at("texts").get<std::vector<std::string>>();
  std::vector<Image> images;
  for (const Json& name : json.at("images")) images.push_back(read_picture(root / name.get<std::string>()));
  Tensors computed = compute(model, images, texts);
  fs::path tensors = file;
  compare(model, texts, SafetensorsFile(tensors.replace_extension(".safetensors")), computed, report);
}

}  // namespace palisade
