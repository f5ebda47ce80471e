#pragma once

#include <span>
#include <string>
#include <string_view>

namespace palisade {

// One spelling for every way to write a host: lower case, no brackets, no trailing dot, IPv6 in its shortest
// form.
std::string plain_host(std::string_view host);

// Where a camera or server may send us: to the host that was asked, and to those of `redirect_hosts` (HOST or
// HOST:PORT). Hosts are in plain_host()'s spelling.
bool may_redirect(std::string_view from_host, std::string_view to_host, int to_port,
                  std::span<const std::string> redirect_hosts);

// False for an entry of redirect_hosts that is neither HOST nor HOST:PORT.
bool is_redirect_host(std::string_view entry);

}  // namespace palisade
