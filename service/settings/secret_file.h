#pragma once

#include <filesystem>
#include <string>

namespace palisade {

// Reads the first line of a file with a password or a camera's URL, without line end and byte order mark.
// Warns where everybody may read the file. Throws Error, which never quotes the file, where it is missing, no
// regular file, larger than 64 KiB, UTF-16, or its first line is empty.
std::string read_secret_file(const std::filesystem::path& file);

}  // namespace palisade
