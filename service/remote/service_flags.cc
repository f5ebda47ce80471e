#include "service/remote/service_flags.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "base/error.h"
#include "base/format.h"
#include "service/http/access.h"
#include "service/http/dashboard_link.h"
#include "service/settings/secret_file.h"
#include "service/settings/settings.h"
#include "service/settings/settings_journal.h"

namespace palisade {
namespace {

std::filesystem::path folder_of(const ServiceFlags& flags) {
  if (!flags.state.empty()) return flags.state;
  if (!flags.config.empty()) return state_folder_of(read_settings(flags.config));
  return default_state_folder(Settings{}.node);
}

// As the service wrote it when it began to listen.
std::string running_at(const std::filesystem::path& folder) {
  constexpr std::string_view kUnix = "unix:";
  const auto url = kept_http_address(folder);
  if (!url)
    throw Unavailable(
        format("no service has offered the HTTP API from {}; start one, or give its address by "
               "--service",
               folder.string()));
  return url->starts_with(kUnix) ? url->substr(kUnix.size()) : *url;
}

std::string token_of(const ServiceFlags& flags) {
  if (!flags.token_file.empty()) return read_secret_file(flags.token_file);
  if (const char* const token = std::getenv("PALISADE_TOKEN"); token != nullptr && *token != '\0')
    return token;
  const std::filesystem::path file = admin_token_file(folder_of(flags));
  return std::filesystem::exists(file) ? read_secret_file(file) : "";
}

}  // namespace

void add_service_flags(CLI::App& command, ServiceFlags& flags) {
  command
      .add_option("--service", flags.url,
                  "Address of the running service; default: the one of the state folder")
      ->envname("PALISADE_SERVICE")
      ->type_name("URL");
  command
      .add_option("--token-file", flags.token_file,
                  "File whose first line is a token; default: PALISADE_TOKEN, else admin.token of the state "
                  "folder")
      ->envname("PALISADE_TOKEN_FILE")
      ->type_name("FILE");
  command
      .add_option("--service-ca", flags.tls_ca,
                  "Certificates in PEM to trust for https:// instead of the system's")
      ->envname("PALISADE_SERVICE_CA")
      ->type_name("FILE");
  CLI::Option* const config =
      command.add_option("--config", flags.config, "Configuration of that service, for its state folder")
          ->envname("PALISADE_CONFIG")
          ->type_name("FILE");
  command.add_option("--state", flags.state, "Its state folder; default: that of the user's service")
      ->envname("PALISADE_STATE")
      ->type_name("DIR")
      ->excludes(config);
}

ServiceAccess access_of(const ServiceFlags& flags) {
  return {.url = flags.url.empty() ? running_at(folder_of(flags)) : flags.url,
          .token = token_of(flags),
          .tls_ca = flags.tls_ca};
}

}  // namespace palisade
