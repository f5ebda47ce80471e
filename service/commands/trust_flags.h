#pragma once

#include <string>
#include <vector>

#include "ingest/source/source.h"

namespace CLI {
class App;
}

namespace palisade {

// --redirect-hosts, --tls-ca and --tls-verify: the settings redirect_hosts, tls_ca and tls_verify of a
// stream.
struct TrustFlags {
  std::vector<std::string> redirect_hosts;
  std::string tls_ca;
  std::string tls_verify;  // "true", "false"; empty: not said
};

void add_trust_flags(CLI::App& command, TrustFlags& flags);
// Checks and sets the options of a source whose url is set. Throws UsageError.
void apply(const TrustFlags& flags, SourceOptions& source);

}  // namespace palisade
