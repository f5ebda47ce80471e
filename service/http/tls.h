#pragma once

#include <boost/asio/ssl.hpp>
#include <filesystem>
#include <memory>

namespace palisade {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

// A server's certificate, with those that vouch for it behind it, and its private key; both PEM. For
// connections that begin from now on: TLS 1.2 or later. Throws Error, which names the file that cannot be
// read or does not fit the other; a certificate that has expired is used, with a line in the log.
TlsContext tls_context(const std::filesystem::path& certificate, const std::filesystem::path& key);

// Whether a handshake failed because the client speaks HTTP without TLS.
bool is_plain_http(const boost::system::error_code& error);

}  // namespace palisade
