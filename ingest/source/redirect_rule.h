#pragma once

#include <span>
#include <string>
#include <string_view>

namespace palisade {

// A host in its canonical spelling: lower case, without brackets and trailing dot, IPv6 in its shortest form.
std::string plain_host(std::string_view host);

// Whether a redirection is followed: it may lead to the same host, and to the entries of `redirect_hosts`
// (HOST or HOST:PORT). The hosts must be in plain_host()'s spelling.
bool may_redirect(std::string_view from_host, std::string_view to_host, int to_port,
                  std::span<const std::string> redirect_hosts);

// Whether an entry of redirect_hosts has the form HOST or HOST:PORT.
bool is_redirect_host(std::string_view entry);

}  // namespace palisade
