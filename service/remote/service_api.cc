#include "service/remote/service_api.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <new>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxAnswer = 64u << 20;
constexpr long kConnectTime_s = 10, kLongestAnswer_s = 660;

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, FreeEasy>;
using HeaderLines = std::unique_ptr<curl_slist, FreeList>;

bool is_of_this_machine(const std::string& host) {
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

// "localhost:8420" of "http://localhost:8420/x".
std::string authority_in(const std::string& url) {
  std::string authority = url.substr(url.find("://") + 3);
  authority.resize(std::min(authority.find_first_of("/?#"), authority.size()));
  return authority;
}

std::string without_its_port(std::string host) {
  const std::size_t bracket = host.rfind(']'), colon = host.rfind(':');
  if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) host.resize(colon);
  return host;
}

std::size_t take_answer(char* data, std::size_t, std::size_t size, void* into) {
  auto& body = *static_cast<std::string*>(into);
  if (body.size() + size > kMaxAnswer) return 0;
  body.append(data, size);
  return size;
}

void add_line(HeaderLines& lines, const std::string& line) {
  curl_slist* const longer = curl_slist_append(lines.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  (void)lines.release();
  lines.reset(longer);
}

// What the service says of a request that it does not answer.
std::string message_in(const std::string& body, long status) {
  const Json json = Json::parse(body, nullptr, false);
  if (json.is_object() && json.contains("error") && json["error"].is_object()) {
    const Json& message = json["error"].value("message", Json());
    if (message.is_string()) return message.get<std::string>();
  }
  return format("it answers with status {}, and is perhaps no Palisade", status);
}

[[noreturn]] void throw_refusal(const std::string& body, long status) {
  std::string message = format("the service refuses: {}", message_in(body, status));
  if (status == 429 || status == 503 || status == 504) throw Unavailable(message);
  if (status >= 500) throw Error(message);
  if (status == 401) message += "; give its token by --token-file or PALISADE_TOKEN";
  throw UsageError(message);
}

}  // namespace

ServiceApi::ServiceApi(ServiceAccess access) : access_(std::move(access)) {
  std::string& url = access_.url;
  if (url.starts_with("unix:")) url.erase(0, 5);
  if (url.starts_with('/')) {
    socket_ = url;
    url = "http://localhost";
  }
  const bool tls = url.starts_with("https://");
  if ((!tls && !url.starts_with("http://")) || authority_in(url).empty())
    throw UsageError("a service's address is http://127.0.0.1:8420, https://HOST or a Unix socket's path");
  if (authority_in(url).find('@') != std::string::npos)
    throw UsageError("a service's address holds no user name; its token is given by --token-file");
  if (!tls && !is_of_this_machine(without_its_port(authority_in(url))))
    throw UsageError(format("{}: the token would pass in the clear; use https://", url));
  while (url.ends_with('/')) url.pop_back();
  hide_secret(access_.token);
}

Json ServiceApi::ask(const std::string& method, const std::string& path,
                     const std::optional<Json>& body) const {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const Easy easy(curl_easy_init());
  if (!easy) throw std::bad_alloc();
  CURL* const handle = easy.get();
  std::array<char, CURL_ERROR_SIZE> fault{};
  std::string answer;
  const std::string sent = body ? body->dump(-1, ' ', false, Json::error_handler_t::replace) : "";
  HeaderLines lines;
  if (!access_.token.empty()) add_line(lines, "Authorization: Bearer " + access_.token);
  if (body) add_line(lines, "Content-Type: application/json");
  add_line(lines, "Expect:");
  curl_easy_setopt(handle, CURLOPT_URL, (access_.url + path).c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  if (!socket_.empty()) curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, socket_.c_str());
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method.c_str());
  if (body) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(sent.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, sent.data());
  }
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, lines.get());
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, fault.data());
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_answer);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_NETRC, long(CURL_NETRC_IGNORED));
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, kConnectTime_s);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT, kLongestAnswer_s);
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, long(CURL_SSLVERSION_TLSv1_2));
  if (!access_.tls_ca.empty()) {
    curl_easy_setopt(handle, CURLOPT_CAINFO, access_.tls_ca.c_str());
    curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
  }
  const CURLcode done = curl_easy_perform(handle);
  if (done != CURLE_OK)
    throw Unavailable(format("no answer from {}: {}", socket_.empty() ? access_.url : socket_,
                             fault[0] != '\0' ? fault.data() : curl_easy_strerror(done)));
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || status > 299) throw_refusal(answer, status);
  return answer.empty() ? Json() : parse_json(answer, "the service's answer");
}

}  // namespace palisade
