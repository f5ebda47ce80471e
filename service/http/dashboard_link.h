#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace palisade {

// Where a service with this state folder listens, for `palisade open`: "tcp://127.0.0.1:8420" in
// FOLDER/http.address.
void keep_http_address(const std::filesystem::path& folder, const std::string& endpoint);
// What was kept by the last start; nothing where none was.
std::optional<std::string> kept_http_address(const std::filesystem::path& folder);

// "http://127.0.0.1:8420/#token=...". Throws UsageError for an address that no browser opens: a Unix socket.
std::string dashboard_link(const std::string& endpoint, const std::string& token);

}  // namespace palisade
