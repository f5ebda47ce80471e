#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace palisade {

// "--url-file FILE": a camera's address from a file, so that its password stands in no list of processes.
void add_url_file_flag(CLI::App& command, std::string& file);
// What is given on the command line, or what the file holds. Throws UsageError where it is both or neither,
// Error where the file cannot be used.
std::vector<std::string> inputs_of(std::vector<std::string> given, const std::string& url_file);

}  // namespace palisade
