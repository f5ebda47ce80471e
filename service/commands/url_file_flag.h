#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace palisade {

// Adds --url-file, which keeps a camera's password out of process lists.
void add_url_file_flag(CLI::App& command, std::string& file);
// The inputs of the command line, or the address in --url-file. Throws UsageError where both or neither are
// given, Error where the file cannot be used.
std::vector<std::string> inputs_of(std::vector<std::string> given, const std::string& url_file);

}  // namespace palisade
