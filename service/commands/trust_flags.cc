#include "service/commands/trust_flags.h"

#include <CLI/CLI.hpp>
#include <string_view>

#include "base/error.h"
#include "service/settings/settings_trust.h"

namespace palisade {
namespace {

std::string flag_of(std::string_view key) {
  std::string flag = "--" + std::string(key);
  for (char& c : flag) {
    if (c == '_') c = '-';
  }
  return flag;
}

}  // namespace

void add_trust_flags(CLI::App& command, TrustFlags& flags) {
  command
      .add_option("--redirect-hosts", flags.redirect_hosts,
                  "Hosts that an address may redirect to, besides its own")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("HOST[:PORT],...");
  command.add_option("--tls-ca", flags.tls_ca, "PEM file of certificates to trust instead of the system's")
      ->type_name("FILE");
  command
      .add_option("--tls-verify", flags.tls_verify,
                  "Verify the certificate of an https or rtsps server; default: true")
      ->check(CLI::IsMember({"true", "false"}));
}

void apply(const TrustFlags& flags, SourceOptions& source) {
  for (const std::string& host : flags.redirect_hosts) {
    if (const auto problem = redirect_host_problem(host)) throw UsageError("--redirect-hosts: " + *problem);
  }
  source.redirect_hosts = flags.redirect_hosts;
  source.tls_ca = flags.tls_ca;
  source.tls_verify = flags.tls_verify != "false";
  const auto is_set = [&](std::string_view key) {
    if (key == "redirect_hosts") return !flags.redirect_hosts.empty();
    return key == "tls_ca" ? !flags.tls_ca.empty() : !flags.tls_verify.empty();
  };
  const auto problems = trust_problems(source, is_set);
  if (!problems.empty()) throw UsageError(flag_of(problems.front().key) + ": " + problems.front().text);
}

}  // namespace palisade
