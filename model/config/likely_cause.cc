#include "model/config/likely_cause.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <set>
#include <vector>

#include "base/json.h"
#include "model/error.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;
using Cause = std::optional<std::string>;

struct Kind {
  std::string_view part;  // an ending, or a beginning
  std::string_view about;
};

constexpr Kind kSingleFiles[] = {
    {".tar", "an archive; unpack it and give the folder"},
    {".tgz", "an archive; unpack it and give the folder"},
    {".gz", "an archive; unpack it and give the folder"},
    {".xz", "an archive; unpack it and give the folder"},
    {".zst", "an archive; unpack it and give the folder"},
    {".bz2", "an archive; unpack it and give the folder"},
    {".zip", "an archive; unpack it and give the folder"},
    {".7z", "an archive; unpack it and give the folder"},
    {".safetensors", "a file of weights; give the folder that holds it beside config.json and the tokenizer"},
    {".json", "a file of a model; give the folder that it stands in"},
    {".model", "a tokenizer alone; give the folder that it stands in"},
    {".gguf", "weights for llama.cpp; give the folder of the original, with config.json and *.safetensors"},
    {".npz",
     "weights of big_vision; give a folder in Hugging Face layout (transformers' "
     "convert_paligemma_weights_to_hf.py makes one)"}};

constexpr std::string_view kPickle =
    "a pickle, which can run code and is not read; write safetensors with Python: "
    "PaliGemmaForConditionalGeneration.from_pretrained(FOLDER).save_pretrained(NEW_FOLDER)";
constexpr Kind kOtherWeights[] = {
    {".bin", kPickle},
    {".pt", kPickle},
    {".pth", kPickle},
    {".ckpt", kPickle},
    {".npz",
     "weights of big_vision, which are not read; make a folder in Hugging Face layout of them "
     "(transformers' convert_paligemma_weights_to_hf.py)"},
    {".gguf", "weights for llama.cpp, which are not read; bring the original, with *.safetensors"},
    {".msgpack", "weights of Flax, which are not read; bring *.safetensors"},
    {".h5", "weights of TensorFlow, which are not read; bring *.safetensors"},
    {".keras", "weights of Keras, which are not read; bring *.safetensors"},
    {".onnx", "weights of ONNX, which are not read; bring *.safetensors"}};

// How files begin that have been given another's name.
constexpr Kind kOtherMagic[] = {
    {"PK\x03\x04", "a zip file or PyTorch weights under another name; bring what the name says"},
    {"GGUF", "weights for llama.cpp under another name; bring *.safetensors"},
    {"\x1f\x8b\x08", "compressed; unpack it (gunzip)"}};

bool is_link_to_nothing(const fs::path& path) {
  std::error_code error;
  return fs::is_symlink(path, error) && !fs::exists(path, error);
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    entries.push_back(at->path());
  std::ranges::sort(entries);
  return entries;
}

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char letter) { return std::tolower(letter); });
  return text;
}

template <std::size_t kCount>
const Kind* kind_of(const fs::path& file, const Kind (&kinds)[kCount]) {
  const std::string name = lower_case(file.filename().string());
  for (const Kind& kind : kinds) {
    if (name.ends_with(kind.part)) return &kind;
  }
  return nullptr;
}

// "google/paligemma-3b-mix-224", or its address.
Cause hub_name(const std::string& name) {
  const std::size_t scheme = name.find("://");
  const std::size_t slash = name.find('/');
  const bool pair = slash != std::string::npos && slash > 0 && slash + 1 < name.size() &&
                    name.find('/', slash + 1) == std::string::npos && name[0] != '.' && name[0] != '~';
  std::error_code error;
  if (scheme == std::string::npos && (!pair || fs::exists(fs::path(name).parent_path(), error)))
    return std::nullopt;
  return "is not on this machine; models are folders here: download it (hf download OWNER/NAME --local-dir "
         "FOLDER) and give that folder";
}

Cause absent(const fs::path& path) {
  std::error_code error;
  if (is_link_to_nothing(path))
    return "is a link to " + fs::read_symlink(path, error).string() + ", which is not there";
  if (const auto status = fs::status(path, error); fs::exists(status)) return std::nullopt;
  if (error == std::errc::permission_denied) return "may not be read: " + error.message();
  if (path.string().starts_with("~")) return "no such folder; \"~\" is not replaced here, write the path out";
  if (auto hub = hub_name(path.string())) return hub;
  return "no such folder; a model is a folder in Hugging Face layout with config.json, a tokenizer and "
         "*.safetensors";
}

Cause single_file(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return std::nullopt;
  if (const Kind* const kind = kind_of(path, kSingleFiles)) return "is " + std::string(kind->about);
  if (const Kind* const kind = kind_of(path, kOtherWeights)) return "is " + std::string(kind->about);
  return "is a file; a model is a folder in Hugging Face layout with config.json, a tokenizer and "
         "*.safetensors";
}

Cause adapter(const fs::path& folder) {
  const fs::path file = folder / "adapter_config.json";
  if (!is_file(file)) return std::nullopt;
  std::string base = "its base model";
  try {
    const Json json = read_json(file, 1u << 20);
    if (json.is_object() && json.contains("base_model_name_or_path") &&
        json["base_model_name_or_path"].is_string())
      base = json["base_model_name_or_path"].get<std::string>();
  } catch (const Error&) {  // whose adapter it is stays unsaid
  }
  return "is an adapter (LoRA) of " + base +
         ", not a model; give that model's folder as the model and this one as its adapter (--adapter), or "
         "merge both with `palisade model merge`";
}

// The root of a hub's download cache: models--OWNER--NAME with snapshots/, refs/ and blobs/, or what holds
// it.
Cause download_cache(const fs::path& folder) {
  std::error_code error;
  if (is_file(folder / "config.json")) return std::nullopt;
  const auto named = [](const fs::path& entry) { return entry.filename().string().starts_with("models--"); };
  if (fs::is_directory(folder / "snapshots", error)) {
    std::string name = "HASH";
    if (const auto snapshots = entries_of(folder / "snapshots"); !snapshots.empty())
      name = snapshots.back().filename().string();
    std::string revision;
    std::ifstream(folder / "refs/main") >> revision;
    if (!revision.empty() && fs::is_directory(folder / "snapshots" / revision, error)) name = revision;
    return "is the root of a download cache; give the snapshot in it: " +
           (folder / "snapshots" / name).string();
  }
  const auto entries = entries_of(folder);
  const auto cache = std::ranges::find_if(entries, named);
  if (cache == entries.end()) return std::nullopt;
  return "is a download cache; give a snapshot in it, such as " + (*cache / "snapshots/HASH").string();
}

// A file of the folder that is not what its name says.
Cause impostor(const fs::path& file) {
  std::error_code error;
  if (is_link_to_nothing(file)) {
    return "is a link to " + fs::read_symlink(file, error).string() +
           ", which is not there: a download cache whose blobs are gone or were not copied; download it anew";
  }
  if (!is_file(file)) return std::nullopt;
  std::array<char, 256> first{};
  std::ifstream in(file, std::ios::binary);
  in.read(first.data(), first.size());
  if (in.bad()) return std::nullopt;  // whoever reads the file tells that the disk fails
  const std::string_view text(first.data(), std::size_t(std::max<std::streamsize>(in.gcount(), 0)));
  if (text.empty()) return "is empty: the download was cut or the disk was full; download it anew";
  if (text.size() == first.size() && text.find_first_not_of('\0') == std::string_view::npos)
    return "holds nothing but zeros at its beginning: its download was cut; download it anew";
  for (const Kind& magic : kOtherMagic) {
    if (text.starts_with(magic.part)) return "is " + std::string(magic.about);
  }
  if (text.starts_with("version https://git-lfs.github.com/spec/")) {
    return "is a Git LFS pointer, which only names the file; fetch the file itself in that folder: git lfs "
           "install, "
           "then git lfs pull";
  }
  const std::size_t begin = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  const std::string_view said = begin == std::string_view::npos ? "" : text.substr(begin);
  if (said.starts_with("<!") || said.starts_with("<html") || said.starts_with("<HTML"))
    return "is a web page and not the file; download the file itself, logged in where the model asks for it";
  for (const char* refusal : {"Access to model", "Invalid username or password", "Entry not found",
                              "Unauthorized", "Repository not found", "Not Found"}) {
    if (said.starts_with(refusal)) {
      return "holds a server's refusal (\"" + std::string(refusal) +
             "\") and not the file; download it anew, logged in where the model asks for it";
    }
  }
  return std::nullopt;
}

bool is_read_here(const fs::path& file) {
  static const std::set<std::string> kNames = {"config.json",
                                               "generation_config.json",
                                               "preprocessor_config.json",
                                               "processor_config.json",
                                               "tokenizer.json",
                                               "tokenizer.model",
                                               "model.safetensors.index.json",
                                               "spiece.model",
                                               "tokenizer_config.json",
                                               "added_tokens.json",
                                               "special_tokens_map.json",
                                               "calibration.json"};
  const std::string name = file.filename().string();
  return kNames.contains(name) || name.ends_with(".safetensors");
}

// Of a download that has not ended, or was cut: the part that is there.
Cause unfinished(const fs::path& folder) {
  for (const fs::path& place : {folder, folder / ".cache/huggingface/download", folder / "../../blobs"}) {
    for (const fs::path& entry : entries_of(place)) {
      const std::string name = entry.filename().string();
      for (const char* ending : {".incomplete", ".part", ".partial", ".crdownload", ".aria2", ".tmp"}) {
        if (name.ends_with(ending))
          return "its download is not complete (" + name + "); let it go on to its end, or begin it anew";
      }
    }
  }
  return std::nullopt;
}

Cause other_weights(const fs::path& folder) {
  for (const fs::path& entry : entries_of(folder)) {
    const std::string name = entry.filename().string();
    if (name == "training_args.bin" || name == "optimizer.pt" || name == "scheduler.pt") continue;
    if (const Kind* const kind = kind_of(entry, kOtherWeights))
      return "holds " + name + ", " + std::string(kind->about);
  }
  return std::nullopt;
}

// Weights by other names than those that are looked for.
Cause other_names(const fs::path& folder) {
  for (const fs::path& entry : entries_of(folder)) {
    const std::string name = entry.filename().string();
    if (!name.ends_with(".safetensors")) continue;
    if (name.starts_with("adapter_"))
      return "holds " + name +
             ", an adapter (LoRA) without its model; give the model's folder, and this one with --adapter";
    if (name.find("-of-") != std::string::npos)
      return "holds " + name +
             ", but no model.safetensors.index.json, which lists the parts; download it too";
    return "holds " + name + ", but no model.safetensors; rename it where that is the whole model";
  }
  return std::nullopt;
}

Cause model_inside(const fs::path& folder) {
  for (const fs::path& entry : entries_of(folder)) {
    for (const char* name : {"config.json", "adapter_config.json"}) {
      if (is_file(entry / name))
        return "holds no config.json itself; is it " + entry.string() + " that you mean?";
    }
  }
  return std::nullopt;
}

void throw_if(const fs::path& what, const Cause& cause) {
  if (cause) throw ModelError(what.string() + ": " + *cause);
}

}  // namespace

void require_model_folder(const fs::path& folder) {
  for (const auto cause : {absent, single_file, adapter, download_cache}) throw_if(folder, cause(folder));
  for (const fs::path& file : entries_of(folder)) {
    if (is_read_here(file)) throw_if(file, impostor(file));
  }
  if (is_file(folder / "config.json")) return;
  for (const auto cause : {unfinished, model_inside, other_weights}) throw_if(folder, cause(folder));
  throw ModelError(
      (folder / "config.json").string() +
      ": no such file; a model is a folder in Hugging Face layout with a config.json, a tokenizer "
      "and *.safetensors");
}

void refuse_without_weights(const fs::path& folder) {
  for (const auto cause : {unfinished, other_names, other_weights}) throw_if(folder, cause(folder));
  throw ModelError(
      folder.string() +
      ": holds neither model.safetensors nor model.safetensors.index.json; download the weights too");
}

void refuse_without_shard(const fs::path& shard) {
  throw_if(shard.parent_path(), unfinished(shard.parent_path()));
  throw ModelError(shard.string() +
                   ": shard is missing; model.safetensors.index.json lists it: download it too");
}

}  // namespace palisade
