#pragma once

#include <span>
#include <string_view>

namespace palisade {

// A file of service/http/ui, as it was when the program was built.
struct UiFile {
  std::string_view path;  // below service/http/ui: "pages/wall.js"
  std::string_view bytes;
};

// All of them, sorted by path. cmake/ui_files.cmake writes the source of this function.
std::span<const UiFile> ui_files();

}  // namespace palisade
