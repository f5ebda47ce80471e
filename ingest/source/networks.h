#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// An IPv6 address, or an IPv4 address as IPv6 writes it.
using HostAddress = std::array<std::uint8_t, 16>;

// "192.0.2.7", "2001:db8::1" or "fe80::1%eth0"; nothing for any other text.
std::optional<HostAddress> host_address_of(const std::string& text);

// All addresses that begin with the same bits.
struct Network {
  HostAddress first{};
  int bits = 128;

  bool operator==(const Network&) const = default;
};

// "192.168.0.0/16", "fd00::/8", or one address. Nothing for any other text, and where bits behind the
// network's are set.
std::optional<Network> network_of(std::string_view text);

bool holds(const Network& network, const HostAddress& address);
bool holds(std::span<const Network> networks, const HostAddress& address);

// This machine's, and those of private networks: 127.0.0.0/8, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16,
// ::1, fc00::/7 and fe80::/10. Not 169.254.0.0/16, where clouds tell secrets to their machines.
const std::vector<Network>& private_networks();

}  // namespace palisade
