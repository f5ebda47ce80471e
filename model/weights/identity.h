#pragma once

#include <filesystem>
#include <string>

#include "frames/resize.h"

namespace palisade {

// Which model answers, as events state it.
struct ModelIdentity {
  std::string id;      // palisade.json's, else the folder's name, e.g. "paligemma-3b-mix-224"
  std::string notice;  // what users must be told of it; empty but for the demo model
  std::string sha256;  // over the weight files in name order, lower-case hex; the service's to fill in
  std::string precision = "f32";
  std::string calibration;  // int8: the checksum of the one in use; empty without
  ResizePreset resize = ResizePreset::kHfBicubic;
};

// Reads FOLDER/palisade.json ({"id", "notice"}) where there is one.
ModelIdentity identify(const std::filesystem::path& folder, ResizePreset resize);

}  // namespace palisade
