#include "service/settings/settings_http.h"

#include <algorithm>

#include "base/format.h"
#include "base/joined.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxNetworks = 256;

void read_tls(SettingsReader& reader, HttpSettings& http, std::vector<Problem>& problems) {
  const YamlNode* const node = reader.find("tls");
  if (node == nullptr) return;
  SettingsReader inner(*node, "http.tls", problems);
  std::string certificate, key;
  inner.read("certificate", certificate);
  inner.read("key", key);
  http.certificate = certificate;
  http.key = key;
  for (const char* const file : {"certificate", "key"}) {
    if (!inner.has(file)) inner.problem(file, format("http.tls without its {}: name a file in PEM", file));
  }
  inner.finish();
}

void read_proxies(SettingsReader& reader, HttpSettings& http) {
  for (const YamlNode* const proxy : reader.texts("trusted_proxy")) {
    if (host_address_of(proxy->text)) {
      http.trusted_proxies.push_back(proxy->text);
    } else {
      reader.problem_at(*proxy, format("trusted_proxy lists addresses in numbers, not '{}'", proxy->text));
    }
  }
}

void read_networks(SettingsReader& reader, HttpSettings& http) {
  if (!reader.has("networks")) return void(reader.find("networks"));
  http.networks.clear();
  for (const YamlNode* const text : reader.texts("networks")) {
    const auto network = network_of(text->text);
    if (!network) {
      reader.problem_at(*text,
                        format("a network is 192.168.0.0/16, fd00::/8 or one address, not '{}'", text->text));
    } else if (http.networks.size() < kMaxNetworks) {
      http.networks.push_back(*network);
    }
  }
}

std::string listen_problem(const std::string& listen, const HttpSettings& http, bool protected_otherwise) {
  if (const auto fault = endpoint_fault(http.endpoint, true))
    return format(
        "listen is an address of this machine in numbers with a port, such as 127.0.0.1:8420, or "
        "a Unix socket's path, not '{}'",
        listen);
  if (protected_otherwise || !endpoint_fault(http.endpoint)) return {};
  return format(
      "'{}' is reached from the network, where tokens and pictures would pass in the clear: give "
      "tls: {{certificate: FILE, key: FILE}}, or trusted_proxy: [ADDRESS] of a server that speaks "
      "TLS in its stead",
      listen);
}

}  // namespace

void read_http(SettingsReader& reader, HttpSettings& http, std::vector<Problem>& problems) {
  const YamlNode* const node = reader.find("http");
  if (node == nullptr) return;
  SettingsReader inner(*node, "http", problems);
  std::string listen = "127.0.0.1:8420";
  inner.read("listen", listen);
  http.endpoint = listen.starts_with("ipc://") || listen.starts_with("tcp://") ? listen
                  : listen.starts_with('/')                                    ? "ipc://" + listen
                                                                               : "tcp://" + listen;
  read_tls(inner, http, problems);
  read_proxies(inner, http);
  read_networks(inner, http);
  const std::string problem = listen_problem(listen, http, inner.has("tls") || inner.has("trusted_proxy"));
  if (!problem.empty()) inner.problem("listen", problem);
  for (const YamlNode* const host : inner.texts("hosts")) http.hosts.push_back(host->text);
  for (const YamlNode* const origin : inner.texts("origins")) http.origins.push_back(origin->text);
  inner.finish();
}

void keep_to_networks(StreamSettings& stream, const HttpSettings& http,
                      const std::vector<std::string>& configured, SettingsReader& reader) {
  if (names_file(stream.source.url)) return;
  if (!stream.process) {
    reader.problem("process", "a stream that is written while the service runs has a process of its own");
    return;
  }
  std::vector<std::string> hosts{host_of(stream.source.url)};
  for (const std::string& entry : stream.source.redirect_hosts) hosts.push_back(host_of("host://" + entry));
  const bool all_configured = std::ranges::all_of(hosts, [&](const std::string& host) {
    return std::ranges::find(configured, host) != configured.end();
  });
  if (all_configured) return;
  stream.source.networks = http.networks;
  for (const std::string& host : hosts) {
    const auto address = host_address_of(host);
    if (address && !holds(http.networks, *address))
      reader.problem(host == hosts.front() ? "url" : "redirect_hosts",
                     format("{} is in none of the networks that cameras may be added of; the "
                            "configuration names them (http.networks)",
                            host));
  }
}

}  // namespace palisade
