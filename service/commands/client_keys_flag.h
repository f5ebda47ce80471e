#pragma once

#include <optional>
#include <string>

#include "service/zeromq/keys.h"

namespace CLI {
class App;
}

namespace palisade {

// Values of --key and --server-key; empty where the service is not encrypted.
struct ClientKeyFlags {
  std::string key, server_key;
};

void add_client_key_flags(CLI::App& command, ClientKeyFlags& flags);
// Nothing where none was given. Throws UsageError where one is missing, Error where a file is no key.
std::optional<ClientKeys> client_keys_of(const ClientKeyFlags& flags);

}  // namespace palisade
