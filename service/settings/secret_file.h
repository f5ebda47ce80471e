#pragma once

#include <filesystem>
#include <string>

namespace palisade {

// The first line of a small file that holds a password or a camera's URL, without its line end and without a
// byte order mark. Warns where everybody on the machine may read it. Throws Error, which never quotes
// the file: missing, no regular file (a pipe is not waited for), larger than 64 KiB, UTF-16, an empty line.
std::string read_secret_file(const std::filesystem::path& file);

}  // namespace palisade
