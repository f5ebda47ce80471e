#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "ingest/pictures/picture.h"
#include "model/decoding/generation.h"
#include "model/error.h"
#include "model/weights/safetensors.h"
#include "model/weights/safetensors_writer.h"
#include "tests/ingest/test_files.h"
#include "tests/model/golden.h"

namespace palisade {

// A copy of a golden model folder, which a test changes into what other tools write.
struct FolderCopy {
  struct Tensor {
    std::vector<std::int64_t> shape;
    std::vector<float> values;
  };
  using Tensors = std::map<std::string, Tensor>;

  test::TestFolder owner;
  std::filesystem::path path = owner.path();

  explicit FolderCopy(const std::filesystem::path& source) {
    namespace fs = std::filesystem;
    for (const auto& entry : fs::directory_iterator(source)) {
      const fs::path copy = path / entry.path().filename();
      fs::copy_file(entry.path(), copy);
      fs::permissions(copy, fs::perms::owner_read | fs::perms::owner_write);
    }
  }

  void change_json(const std::string& file, const std::function<void(Json&)>& change) const {
    Json json = std::filesystem::exists(path / file) ? read_json(path / file) : Json::object();
    change(json);
    std::ofstream(path / file) << json.dump();
  }

  void change_tensors(const std::function<void(Tensors&)>& change) const {
    Tensors tensors;
    {
      const SafetensorsFile file(path / "model.safetensors");
      for (const auto& [name, view] : file.tensors()) tensors[name] = {view.shape, view.to_floats()};
    }
    change(tensors);
    write_tensors("model.safetensors", tensors);
  }

  void write_tensors(const std::string& file, const Tensors& tensors) const {
    std::vector<NamedFloats> floats;
    for (const auto& [name, tensor] : tensors) floats.push_back({name, tensor.shape, tensor.values});
    write_safetensors(path / file, floats, {{"format", "pt"}});
  }

  // The greedy answer of this folder's model about a golden picture, comparable to that of transformers'
  // generate().
  std::vector<TokenId> answer(const std::string& prompt = "answer en what is this?",
                              const std::function<DecodingOptions(const PaliGemma&)>& options = {}) const {
    const PaliGemma model(path);
    const Image image = read_picture(kReference / "images/still1.png");
    const DecodingOptions decoding = options ? options(model) : DecodingOptions{.max_new_tokens = 12};
    Sequence sequence = model.prefill(model.encode({&image, 1}), model.prompt_ids(prompt), 12);
    return decode(model, std::move(sequence), decoding).token_ids;
  }

  // The error of loading this folder's model; empty if there is none.
  std::string refusal() const {
    try {
      const PaliGemma model(path);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

}  // namespace palisade
