// Common mistakes instead of a model folder: each is recognised, and the message of one line says what to do.
#include "model/config/likely_cause.h"

#include <doctest/doctest.h>

#include "model/error.h"
#include "model/siglip/siglip.h"
#include "tests/model/folder_copy.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;

const std::string kPointer =
    "version https://git-lfs.github.com/spec/v1\noid "
    "sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24"
    "d17e2393\nsize 4978830984\n";

std::string refusal_of(const fs::path& path) {
  try {
    const PaliGemma model(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// Checks that a message is one line, begins with the folder or file and contains all `parts`.
void check_told(const fs::path& path, const fs::path& about, const std::vector<std::string>& parts) {
  const std::string refusal = refusal_of(path);
  CAPTURE(refusal);
  CHECK(refusal.starts_with(about.string() + ": "));
  CHECK(refusal.find('\n') == std::string::npos);
  for (const std::string& part : parts) CHECK(refusal.find(part) != std::string::npos);
}

// The golden folder without its weights.
struct WithoutWeights : FolderCopy {
  WithoutWeights() : FolderCopy(kModels / "paligemma1-tiny") { fs::remove(path / "model.safetensors"); }
};

struct EmptyFolder : test::TestFolder {
  void write_in(const std::string& name, const std::string& text) const {
    fs::create_directories((path() / name).parent_path());
    write(name, text);
  }
};

}  // namespace

TEST_CASE("a name of a hub, an absent folder, a link to nothing and a single file are told apart") {
  const EmptyFolder folder;
  check_told("google/paligemma-3b-mix-224", "google/paligemma-3b-mix-224",
             {"not on this machine", "download"});
  check_told("/nowhere/at/all", "/nowhere/at/all", {"no such folder"});
  check_told("~/models/mix", "~/models/mix", {"\"~\" is not replaced"});
  fs::create_directory_symlink(folder.path() / "gone", folder.path() / "link");
  check_told(folder.path() / "link", folder.path() / "link", {"is a link to", "gone", "not there"});
  for (const char* archive : {"model.tar.gz", "paligemma.tgz", "model.zip", "m.tar"}) {
    folder.write(archive, "x");
    check_told(folder.path() / archive, folder.path() / archive, {"an archive", "unpack"});
  }
  folder.write("model.safetensors", "x");
  check_told(folder.path() / "model.safetensors", folder.path() / "model.safetensors", {"give the folder"});
  folder.write("notes.txt", "x");
  check_told(folder.path() / "notes.txt", folder.path() / "notes.txt", {"is a file", "a model is a folder"});
}

TEST_CASE("an adapter is told with its base, whether a model stands beside it or not") {
  const FolderCopy beside(kModels / "paligemma1-tiny");
  const EmptyFolder alone;
  const std::string adapter =
      R"({"base_model_name_or_path": "google/paligemma-3b-pt-224", "peft_type": "LORA"})";
  alone.write("adapter_config.json", adapter);
  std::ofstream(beside.path / "adapter_config.json") << adapter;
  for (const fs::path& path : {alone.path(), beside.path})
    check_told(path, path, {"an adapter (LoRA) of google/paligemma-3b-pt-224", "merge"});
}

TEST_CASE("a Git LFS pointer is told whichever file it stands for, and so are empty files and web pages") {
  const fs::path source = kModels / "paligemma1-tiny";
  for (const char* name : {"model.safetensors", "config.json", "tokenizer.model", "tokenizer.json",
                           "preprocessor_config.json", "generation_config.json", "added_tokens.json"}) {
    const FolderCopy folder(source);
    std::ofstream(folder.path / name) << kPointer;
    check_told(folder.path, folder.path / name, {"a Git LFS pointer", "git lfs pull"});
    std::ofstream(folder.path / name) << "";
    check_told(folder.path, folder.path / name, {"is empty"});
    std::ofstream(folder.path / name) << std::string(4096, '\0');
    check_told(folder.path, folder.path / name, {"zeros", "download"});
    std::ofstream(folder.path / name) << "PK\x03\x04 and so on";
    check_told(folder.path, folder.path / name, {"a zip file"});
    std::ofstream(folder.path / name) << "\n<!DOCTYPE html><html>";
    check_told(folder.path, folder.path / name, {"a web page", "download"});
    std::ofstream(folder.path / name) << "Access to model google/paligemma-3b-pt-224 is restricted.";
    check_told(folder.path, folder.path / name, {"a server's refusal", "logged in"});
  }
}

TEST_CASE(
    "a download cache's root is told with the snapshot in it, and a link to a lost blob with what is lost") {
  const EmptyFolder cache;
  const std::string root = "models--google--paligemma-3b-mix-224/";
  cache.write_in(root + "refs/main", "b0\n");
  cache.write_in(root + "snapshots/a0/README.md", "x");
  cache.write_in(root + "snapshots/b0/README.md", "x");
  cache.write_in(root + "snapshots/c0/README.md", "x");
  const fs::path path = cache.path() / root.substr(0, root.size() - 1);
  check_told(path, path, {"root of a download cache", (path / "snapshots/b0").string()});
  check_told(cache.path(), cache.path(), {"is a download cache", "snapshots"});
  const FolderCopy snapshot(kModels / "paligemma1-tiny");
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.model"}) {
    const FolderCopy folder(kModels / "paligemma1-tiny");
    fs::remove(folder.path / name);
    fs::create_symlink("../../blobs/0123", folder.path / name);
    check_told(folder.path, folder.path / name, {"is a link to ../../blobs/0123", "download it anew"});
  }
}

TEST_CASE("weights of other formats, names and cut downloads are told by their file") {
  const struct {
    const char* file;
    std::vector<std::string> parts;
  } cases[] = {{"pytorch_model.bin", {"a pickle", "save_pretrained"}},
               {"pytorch_model-00001-of-00003.bin", {"a pickle"}},
               {"consolidated.00.pth", {"a pickle"}},
               {"paligemma-3b-mix-224.npz", {"big_vision"}},
               {"paligemma.Q4_K_M.gguf", {"llama.cpp"}},
               {"epoch=3.ckpt", {"a pickle"}},
               {"flax_model.msgpack", {"Flax"}},
               {"tf_model.h5", {"TensorFlow"}},
               {"model.onnx", {"ONNX"}},
               {"model-00001-of-00002.safetensors", {"model.safetensors.index.json"}},
               {"model.fp16.safetensors", {"rename"}},
               {"adapter_model.safetensors", {"an adapter"}},
               {"model.safetensors.incomplete", {"not complete"}},
               {".cache/huggingface/download/x.incomplete", {"not complete"}}};
  for (const auto& one : cases) {
    const WithoutWeights folder;
    fs::create_directories((folder.path / one.file).parent_path());
    std::ofstream(folder.path / one.file) << "x";
    auto parts = one.parts;
    parts.push_back(fs::path(one.file).filename().string());
    check_told(folder.path, folder.path, parts);
  }
  const WithoutWeights nothing;
  check_told(nothing.path, nothing.path, {"neither model.safetensors nor"});
  std::ofstream(nothing.path / "model.safetensors.index.json")
      << R"({"weight_map": {"a": "model-1.safetensors"}})";
  check_told(nothing.path, nothing.path / "model-1.safetensors", {"shard is missing"});
}

TEST_CASE("a folder around a model is told with the model in it") {
  const EmptyFolder run;
  run.write_in("model/config.json", "{}");
  check_told(run.path(), run.path(), {"holds no config.json itself", (run.path() / "model").string()});
}

TEST_CASE("other families are told by their name, with those that are read") {
  const FolderCopy folder(kModels / "paligemma1-tiny");
  for (const auto& [type, name] : {std::pair{"llava", "LLaVA"},
                                   {"siglip2", "SigLIP 2"},
                                   {"siglip_vision_model", "a part of SigLIP"},
                                   {"clip", "CLIP"},
                                   {"gemma", "sees no pictures"},
                                   {"gemma2", "sees no pictures"},
                                   {"gemma3", "Gemma 3"},
                                   {"idefics3", "Idefics"},
                                   {"qwen2_5_vl", "Qwen"},
                                   {"of_tomorrow", "another family"}}) {
    folder.change_json("config.json", [type = type](Json& json) { json["model_type"] = type; });
    check_told(folder.path, folder.path / "config.json", {type, name, "PaliGemma"});
    CHECK_THROWS_WITH_AS(read_siglip_config(folder.path), doctest::Contains(name), ModelError);
  }
  folder.change_json("config.json", [](Json& json) { json.erase("model_type"); });
  check_told(folder.path, folder.path / "config.json", {"not named", "PaliGemma"});
}

TEST_CASE("a SigLIP 2 that calls itself siglip is told by its tokenizer") {
  const FolderCopy folder(kModels / "siglip-tiny");
  std::filesystem::remove(folder.path / "spiece.model");
  std::ofstream(folder.path / "tokenizer.json") << "{}";
  CHECK_THROWS_WITH_AS(Siglip(folder.path), doctest::Contains("is it SigLIP 2?"), ModelError);
}

TEST_CASE("quantised and unmerged weights are told by config.json or by a tensor's name or type") {
  const FolderCopy folder(kModels / "paligemma1-tiny");
  for (const char* key : {"quantization_config", "quantization"}) {
    folder.change_json("config.json", [&](Json& json) {
      json[key] = {{"quant_method", "awq"}, {"bits", 4}};
    });
    check_told(folder.path, folder.path / "config.json", {key, "quantised", "--precision int8"});
    folder.change_json("config.json", [&](Json& json) { json.erase(key); });
  }
  const std::string q = "language_model.model.layers.0.self_attn.q_proj.";
  for (const char* name : {"weight.absmax", "weight.quant_map", "weight.quant_state.bitsandbytes__nf4",
                           "qweight", "qzeros", "scales", "g_idx", "weight_scale", "weight_scale_inv",
                           "input_scale", "biases", "weight_packed", "SCB"}) {
    folder.change_tensors([&](auto& tensors) { tensors[q + name] = {{2}, {1, 2}}; });
    check_told(folder.path, folder.path, {q + name, "quantised", "--precision int8"});
    folder.change_tensors([&](auto& tensors) { tensors.erase(q + name); });
  }
  for (const char* name : {"lora_A.weight", "lora_B.default.weight", "base_layer.weight"}) {
    folder.change_tensors([&](auto& tensors) { tensors[q + name] = {{2}, {1, 2}}; });
    check_told(folder.path, folder.path, {q + name, "an adapter", "merge"});
    folder.change_tensors([&](auto& tensors) { tensors.erase(q + name); });
  }
  for (const char* type : {"F8_E4M3", "F8_E5M2", "I8", "I32", "U32"}) {
    const std::string header =
        R"({"x": {"dtype": ")" + std::string(type) + R"(", "shape": [1], "data_offsets": [0, 4]}})";
    const std::uint64_t size = header.size();
    std::ofstream out(folder.path / "model.safetensors", std::ios::binary);
    out.write(reinterpret_cast<const char*>(&size), 8) << header << "1234";
    out.close();
    check_told(folder.path, folder.path / "model.safetensors", {type, "quantised", "--precision int8"});
  }
}
