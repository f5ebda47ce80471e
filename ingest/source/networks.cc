#include "ingest/source/networks.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace palisade {
namespace {

constexpr int kBitsBeforeIPv4 = 96;  // of an IPv4 address as IPv6 writes it

int bit_of(const HostAddress& address, int index) {
  return address[std::size_t(index / 8)] >> (7 - index % 8) & 1;
}

}  // namespace

std::optional<HostAddress> host_address_of(const std::string& text) {
  HostAddress address{};
  const std::string plain = text.substr(0, text.find('%'));  // without an interface
  in_addr four{};
  if (inet_pton(AF_INET, plain.c_str(), &four) == 1) {
    address[10] = address[11] = 0xff;
    std::memcpy(address.data() + 12, &four, sizeof four);
    return address;
  }
  if (inet_pton(AF_INET6, plain.c_str(), address.data()) == 1) return address;
  return std::nullopt;
}

std::optional<Network> network_of(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto first = host_address_of(std::string(text.substr(0, slash)));
  if (!first || text.find('%') != std::string_view::npos) return std::nullopt;
  Network network{.first = *first};
  if (slash != std::string_view::npos) {
    const int before = text.find(':') == std::string_view::npos ? kBitsBeforeIPv4 : 0;
    const char* const end = text.data() + text.size();
    const auto [read, error] = std::from_chars(text.data() + slash + 1, end, network.bits);
    if (error != std::errc() || read != end || network.bits < 0 || network.bits > 128 - before)
      return std::nullopt;
    network.bits += before;
  }
  for (int i = network.bits; i < 128; ++i) {
    if (bit_of(network.first, i) != 0) return std::nullopt;
  }
  return network;
}

bool holds(const Network& network, const HostAddress& address) {
  for (int i = 0; i < network.bits; ++i) {
    if (bit_of(network.first, i) != bit_of(address, i)) return false;
  }
  return true;
}

bool holds(std::span<const Network> networks, const HostAddress& address) {
  return std::ranges::any_of(networks, [&](const Network& network) { return holds(network, address); });
}

const std::vector<Network>& private_networks() {
  static const std::vector<Network> all = [] {
    std::vector<Network> networks;
    for (const char* const text :
         {"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1", "fc00::/7", "fe80::/10"})
      networks.push_back(*network_of(text));
    return networks;
  }();
  return all;
}

}  // namespace palisade
