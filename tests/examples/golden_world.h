#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/format.h"
#include "examples/world/truth_file.h"

namespace palisade::world {

// The demo world's samples: scenes with the truth as computed by the world's description in Python.
inline std::filesystem::path golden_world() {
  return std::filesystem::path(PALISADE_SOURCE_DIR) / "tests" / "golden" / "world";
}

inline nlohmann::json golden(const std::string& name) {
  std::ifstream file(golden_world() / name);
  return nlohmann::json::parse(file);
}

inline std::vector<nlohmann::json> golden_clips() {
  std::vector<nlohmann::json> clips;
  for (int i = 0; i < 6; ++i) clips.push_back(golden(format("clip{}.json", i)));
  return clips;
}

inline std::vector<Object> objects_of(const nlohmann::json& list) {
  std::vector<Object> objects;
  for (const auto& object : list) objects.push_back(object_from_json(object));
  return objects;
}

}  // namespace palisade::world
