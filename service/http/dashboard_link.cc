#include "service/http/dashboard_link.h"

#include <fstream>

#include "base/error.h"
#include "base/format.h"
#include "base/whole_file.h"

namespace palisade {
namespace {

constexpr std::string_view kUnix = "unix:";  // before a socket's path

std::filesystem::path address_file(const std::filesystem::path& folder) {
  return folder / "http.address";
}

}  // namespace

std::string http_url(const std::string& endpoint, bool tls, const std::vector<std::string>& hosts) {
  constexpr std::string_view kIpc = "ipc://", kTcp = "tcp://";
  if (endpoint.starts_with(kIpc)) return format("{}{}", kUnix, endpoint.substr(kIpc.size()));
  std::string place = endpoint.substr(kTcp.size());
  const std::size_t colon = place.rfind(':');
  const std::string host = place.substr(0, colon);
  if (host == "0.0.0.0" || host == "[::]")
    place = (tls && !hosts.empty() ? hosts.front() : "localhost") + place.substr(colon);
  return (tls ? "https://" : "http://") + place;
}

void keep_http_address(const std::filesystem::path& folder, const std::string& url) {
  write_private_file(address_file(folder), url + "\n");
}

std::optional<std::string> kept_http_address(const std::filesystem::path& folder) {
  std::ifstream file(address_file(folder));
  std::string url;
  if (!std::getline(file, url) || url.empty()) return std::nullopt;
  return url;
}

std::string dashboard_link(const std::string& url, const std::string& token) {
  if (url.starts_with(kUnix))
    throw UsageError(
        format("the service listens on {}, which browsers do not open; give http.listen an "
               "address such as 127.0.0.1:8420",
               url.substr(kUnix.size())));
  return format("{}/#token={}", url, token);
}

}  // namespace palisade
