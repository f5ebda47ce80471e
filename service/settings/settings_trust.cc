#include "service/settings/settings_trust.h"

#include <fstream>
#include <string>
#include <string_view>

#include "ingest/source/redirect_rule.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

void read_redirect_hosts(SettingsReader& reader, SourceOptions& source) {
  const std::vector<YamlNode>* const hosts = reader.list("redirect_hosts");
  if (hosts == nullptr) return;
  for (const YamlNode& host : *hosts) {
    if (host.kind == YamlNode::Kind::kScalar && is_redirect_host(host.text)) {
      source.redirect_hosts.push_back(host.text);
    } else {
      reader.problem_at(host,
                        "redirect_hosts are names or addresses, HOST or HOST:PORT, not '" + host.text + "'");
    }
  }
}

void read_tls(SettingsReader& reader, SourceOptions& source) {
  if (reader.read("tls_ca", source.tls_ca) && !std::ifstream(source.tls_ca)) {
    reader.problem("tls_ca", "cannot read " + source.tls_ca + "; tls_ca is a PEM file of certificates");
  }
  reader.read("tls_verify", source.tls_verify);
  if (!source.tls_verify && !source.tls_ca.empty()) {
    reader.problem("tls_verify", "tls_ca is of no use with tls_verify: false; remove one of them");
  }
}

}  // namespace

void read_trust(SettingsReader& reader, SourceOptions& source) {
  read_redirect_hosts(reader, source);
  read_tls(reader, source);
  const std::string scheme = scheme_of(source.url);
  const bool network = scheme.starts_with("http") || scheme.starts_with("rtsp");
  // http counts as well, because a redirection may lead to https.
  const bool tls = scheme == "https" || scheme == "http" || scheme == "rtsps";
  const auto belongs = [&](const char* key, bool used, const char* where) {
    if (reader.has(key) && !used)
      reader.problem(key, std::string(key) + " is for " + where + "; remove it from this stream");
  };
  belongs("redirect_hosts", network, "http(s):// and rtsp(s)://");
  belongs("tls_ca", tls, "https:// and rtsps://");
  belongs("tls_verify", tls, "https:// and rtsps://");
}

}  // namespace palisade
