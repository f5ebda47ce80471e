#include "service/commands/client_keys_flag.h"

#include <CLI/CLI.hpp>

#include "base/error.h"

namespace palisade {

void add_client_key_flags(CLI::App& command, ClientKeyFlags& flags) {
  command
      .add_option("--key", flags.key, "Own keys, NAME.key of `palisade keys new`, for an encrypted service")
      ->envname("PALISADE_KEY")
      ->type_name("FILE");
  command.add_option("--server-key", flags.server_key, "Public key of that service")
      ->envname("PALISADE_SERVER_KEY")
      ->type_name("FILE");
}

std::optional<ClientKeys> client_keys_of(const ClientKeyFlags& flags) {
  if (flags.key.empty() && flags.server_key.empty()) return std::nullopt;
  if (flags.key.empty() || flags.server_key.empty())
    throw UsageError("--key and --server-key belong together: the own keys, and the service's public key");
  return ClientKeys{.own = read_key_file(flags.key), .service = read_public_key(flags.server_key)};
}

}  // namespace palisade
