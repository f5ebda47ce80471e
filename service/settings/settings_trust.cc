#include "service/settings/settings_trust.h"

#include <array>

#include "base/error.h"
#include "base/input_file.h"
#include "ingest/source/redirect_rule.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

void read_redirect_hosts(SettingsReader& reader, SourceOptions& source) {
  const std::vector<YamlNode>* const hosts = reader.list("redirect_hosts");
  if (hosts == nullptr) return;
  for (const YamlNode& host : *hosts) {
    const bool scalar = host.kind == YamlNode::Kind::kScalar;
    const auto problem = redirect_host_problem(scalar ? host.text : "");
    if (problem) reader.problem_at(host, *problem);
    if (!problem) source.redirect_hosts.push_back(host.text);
  }
}

// Why it cannot be read; a pipe in its place would let nobody go on.
std::optional<std::string> fault_of_file(const std::string& path) {
  try {
    std::array<char, 4096> start{};
    InputFile(path).read(start);
    return std::nullopt;
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

std::optional<std::string> redirect_host_problem(const std::string& host) {
  if (is_redirect_host(host)) return std::nullopt;
  return "redirect_hosts are names or addresses, HOST or HOST:PORT, not '" + host + "'";
}

std::vector<TrustProblem> trust_problems(const SourceOptions& source,
                                         const std::function<bool(std::string_view key)>& is_set) {
  const std::string scheme = scheme_of(source.url);
  const bool network = scheme.starts_with("http") || scheme.starts_with("rtsp");
  // http counts as well, because a redirection may lead to https.
  const bool tls = scheme == "https" || scheme == "http" || scheme == "rtsps";
  std::vector<TrustProblem> problems;
  const auto belongs = [&](std::string_view key, bool used, const char* where) {
    if (is_set(key) && !used)
      problems.push_back({key, std::string(key) + " is for " + where + "; remove it here"});
  };
  belongs("redirect_hosts", network, "http(s):// and rtsp(s)://");
  belongs("tls_ca", tls, "https:// and rtsps://");
  belongs("tls_verify", tls, "https:// and rtsps://");
  if (is_set("tls_ca") && tls) {
    if (const auto fault = fault_of_file(source.tls_ca))
      problems.push_back({"tls_ca", "cannot read " + *fault + "; tls_ca is a PEM file of certificates"});
  }
  if (!source.tls_verify && !source.tls_ca.empty())
    problems.push_back({"tls_verify", "tls_ca is of no use with tls_verify: false; remove one of them"});
  return problems;
}

void read_trust(SettingsReader& reader, SourceOptions& source) {
  read_redirect_hosts(reader, source);
  reader.read("tls_ca", source.tls_ca);
  reader.read("tls_verify", source.tls_verify);
  const auto is_set = [&](std::string_view key) { return reader.has(std::string(key)); };
  for (const TrustProblem& problem : trust_problems(source, is_set))
    reader.problem(std::string(problem.key), problem.text);
}

}  // namespace palisade
