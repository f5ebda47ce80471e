#pragma once

#include <filesystem>
#include <string>

#include "service/remote/service_api.h"

namespace CLI {
class App;
}

namespace palisade {

// Values of --service, --token-file, --service-ca, --config and --state; empty where a flag was not given.
struct ServiceFlags {
  std::string url;
  std::string token_file;
  std::string tls_ca;
  std::string config;
  std::string state;
};

void add_service_flags(CLI::App& command, ServiceFlags& flags);

// Where the service is asked, and with which token: the flag's file, PALISADE_TOKEN, or the admin's, which
// stands in the state folder. Without --service it is the one that runs with that state folder. Throws Error.
ServiceAccess access_of(const ServiceFlags& flags);

}  // namespace palisade
