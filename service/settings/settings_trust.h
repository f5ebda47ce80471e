#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/source/source.h"
#include "service/settings/settings_reader.h"

namespace palisade {

// A mistake in redirect_hosts, tls_ca or tls_verify, with the remedy.
struct TrustProblem {
  std::string_view key;
  std::string text;
};
// Checks the keys for which `is_set` returns true.
std::vector<TrustProblem> trust_problems(const SourceOptions& source,
                                         const std::function<bool(std::string_view key)>& is_set);
// Returns nothing if `host` is a valid entry of redirect_hosts.
std::optional<std::string> redirect_host_problem(const std::string& host);

// Reads redirect_hosts, tls_ca and tls_verify of a stream whose url has been read.
void read_trust(SettingsReader& reader, SourceOptions& source);

}  // namespace palisade
