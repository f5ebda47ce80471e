#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace palisade {

// At which URL programs of this machine reach a service that listens on `endpoint`: "http://127.0.0.1:8420",
// or "unix:/run/palisade/http". One that listens on every address is called by the first of its `hosts` where
// it has a certificate, which names that, else localhost.
std::string http_url(const std::string& endpoint, bool tls, const std::vector<std::string>& hosts);

// Keeps that URL in FOLDER/http.address of the state folder, for `palisade open` and `palisade streams`.
void keep_http_address(const std::filesystem::path& folder, const std::string& url);
// What was kept by the last start; nothing where none was.
std::optional<std::string> kept_http_address(const std::filesystem::path& folder);

// "http://127.0.0.1:8420/#token=...". Throws UsageError for an address that no browser opens: a Unix socket.
std::string dashboard_link(const std::string& url, const std::string& token);

}  // namespace palisade
