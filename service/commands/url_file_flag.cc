#include "service/commands/url_file_flag.h"

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/log.h"
#include "service/settings/secret_file.h"

namespace palisade {

void add_url_file_flag(CLI::App& command, std::string& file) {
  command
      .add_option(
          "--url-file", file,
          "File whose first line is the address, instead of INPUT; keeps a password out of process lists")
      ->envname("PALISADE_URL_FILE")
      ->type_name("FILE");
}

std::vector<std::string> inputs_of(std::vector<std::string> given, const std::string& url_file) {
  if (!given.empty() && !url_file.empty()) throw UsageError("INPUT and --url-file; give one of them");
  if (given.empty() && url_file.empty())
    throw UsageError("INPUT is missing; give a file, an address or --url-file");
  if (url_file.empty()) return given;
  std::string url = read_secret_file(url_file);
  hide_secrets_of(url);
  return {std::move(url)};
}

}  // namespace palisade
