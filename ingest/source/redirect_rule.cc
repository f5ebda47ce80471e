#include "ingest/source/redirect_rule.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

namespace palisade {
namespace {

struct HostAndPort {
  std::string host;
  std::optional<int> port;
};

std::optional<int> port_number(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65'535)
    return std::nullopt;
  return port;
}

bool is_host_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
}

// Splits "host", "host:port", "[v6]", "[v6]:port" or a bare IPv6 address.
std::optional<HostAndPort> entry_of(std::string_view entry) {
  in6_addr v6;
  if (::inet_pton(AF_INET6, std::string(entry).c_str(), &v6) == 1) return HostAndPort{plain_host(entry), {}};
  const std::size_t end =
      entry.starts_with('[') ? entry.find(']') + 1 : std::min(entry.find(':'), entry.size());
  const std::string_view host = entry.substr(0, end);
  const std::string_view rest = entry.substr(end);
  const bool bracketed = host.starts_with('[');
  if (host.empty() || (!bracketed && !std::ranges::all_of(host, is_host_character))) return std::nullopt;
  if (bracketed && ::inet_pton(AF_INET6, plain_host(host).c_str(), &v6) != 1) return std::nullopt;
  if (rest.empty()) return HostAndPort{plain_host(host), {}};
  const std::optional<int> port = rest.starts_with(':') ? port_number(rest.substr(1)) : std::nullopt;
  if (!port) return std::nullopt;
  return HostAndPort{plain_host(host), port};
}

}  // namespace

std::string plain_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string plain;
  for (const char c : host) plain += char(std::tolower(static_cast<unsigned char>(c)));
  in6_addr v6;
  std::array<char, INET6_ADDRSTRLEN> shortest{};
  if (::inet_pton(AF_INET6, plain.c_str(), &v6) == 1 &&
      ::inet_ntop(AF_INET6, &v6, shortest.data(), shortest.size()) != nullptr) {
    return shortest.data();
  }
  return plain;
}

bool may_redirect(std::string_view from_host, std::string_view to_host, int to_port,
                  std::span<const std::string> redirect_hosts) {
  if (to_host == from_host) return true;
  return std::ranges::any_of(redirect_hosts, [&](const std::string& text) {
    const std::optional<HostAndPort> entry = entry_of(text);
    return entry && entry->host == to_host && entry->port.value_or(to_port) == to_port;
  });
}

bool is_redirect_host(std::string_view entry) {
  return entry_of(entry).has_value();
}

}  // namespace palisade
