#pragma once

#include <filesystem>
#include <string>

namespace palisade {

// What a picture or a film holds, whatever its name.
struct FileContent {
  int width = 0;  // of a film's first frame
  int height = 0;
  std::string sha256;  // of the pixels of a picture, of the file of a film
};

// Decodes it. Throws Error naming the file where it cannot be read.
FileContent content_of(const std::filesystem::path& file, bool film);

}  // namespace palisade
