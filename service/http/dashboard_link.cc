#include "service/http/dashboard_link.h"

#include <fstream>

#include "base/error.h"
#include "base/format.h"
#include "base/whole_file.h"

namespace palisade {
namespace {

std::filesystem::path address_file(const std::filesystem::path& folder) {
  return folder / "http.address";
}

}  // namespace

void keep_http_address(const std::filesystem::path& folder, const std::string& endpoint) {
  write_private_file(address_file(folder), endpoint + "\n");
}

std::optional<std::string> kept_http_address(const std::filesystem::path& folder) {
  std::ifstream file(address_file(folder));
  std::string endpoint;
  if (!std::getline(file, endpoint) || endpoint.empty()) return std::nullopt;
  return endpoint;
}

std::string dashboard_link(const std::string& endpoint, const std::string& token) {
  constexpr std::string_view kTcp = "tcp://";
  if (!endpoint.starts_with(kTcp))
    throw UsageError(
        format("the service listens on {}, which browsers do not open; give http.listen an "
               "address such as 127.0.0.1:8420",
               endpoint));
  return format("http://{}/#token={}", endpoint.substr(kTcp.size()), token);
}

}  // namespace palisade
