#include "service/settings/shipped.h"

namespace palisade {

std::optional<std::filesystem::path> shipped(const std::string& installed, const std::string& source) {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const auto& path : {program / "../share/palisade" / installed, program / "../../configs" / source,
                           std::filesystem::path(PALISADE_SOURCE_DIR "/configs") / source}) {
    if (std::filesystem::exists(path, error)) return std::filesystem::weakly_canonical(path, error);
  }
  return std::nullopt;
}

std::optional<std::filesystem::path> street_film() {
  return shipped("street.mp4", "street.mp4");
}

}  // namespace palisade
