#include "tests/fuzz/targets.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "tests/fuzz/readers.h"

namespace palisade::fuzz {
namespace {

struct TemporaryFolder {
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "palisade-fuzz-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path = name;
  }
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path, error);
  }
  std::filesystem::path path;
};

constexpr Target kTargets[] = {
    {"adapter", adapter},
    {"calibration", calibration},
    {"containers", containers},
    {"control", control},
    {"events", events},
    {"examples", examples},
    {"feed_wire", feed_wire},
    {"json", json},
    {"metrics", metrics},
    {"model_config", model_config},
    {"npz", npz},
    {"packed_cache", packed_cache},
    {"peers", peers},
    {"pictures", pictures},
    {"safetensors", safetensors},
    {"sentencepiece", sentencepiece},
    {"settings", settings},
    {"tokenizer_json", tokenizer_json},
    {"urls", urls},
};

}  // namespace

std::span<const Target> targets() {
  return kTargets;
}

const std::filesystem::path& folder() {
  static const TemporaryFolder folder;
  return folder.path;
}

std::filesystem::path file_of(std::string_view name, Input input) {
  const std::filesystem::path path = folder() / name;
  std::ofstream(path, std::ios::binary) << text_of(input);
  return path;
}

}  // namespace palisade::fuzz
