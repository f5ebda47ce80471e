#include "service/terminal/versions.h"

#include <link.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <vector>

namespace palisade {
namespace {

constexpr std::string_view kTold[] = {"libdnnl.",    "libsentencepiece.", "libhwy.",
                                      "libavcodec.", "libavformat.",      "libgstreamer-1.0.",
                                      "libjpeg.",    "libpng16.",         "libwebp."};

// A library's real file name carries its version: libdnnl.so.2 is libdnnl.so.2.6.
int note_library(dl_phdr_info* info, std::size_t, void* names) {
  std::error_code error;
  const auto file = std::filesystem::canonical(info->dlpi_name, error);
  if (!error) static_cast<std::vector<std::string>*>(names)->push_back(file.filename().string());
  return 0;
}

}  // namespace

std::string versions_text() {
  std::vector<std::string> libraries;
  dl_iterate_phdr(note_library, &libraries);
  std::ranges::sort(libraries);
  std::string text = "palisade " PALISADE_VERSION "\n";
  for (const std::string& library : libraries) {
    const auto begins = [&](std::string_view name) { return library.starts_with(name); };
    if (std::ranges::any_of(kTold, begins)) text += library + "\n";
  }
  return text;
}

}  // namespace palisade
