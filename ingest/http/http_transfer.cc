#include "ingest/http/http_transfer.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

#include "base/format.h"
#include "ingest/http/http_faults.h"
#include "ingest/http/http_lookup.h"
#include "ingest/source/source.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Limit for all headers of a request together, including those of a 401 and of interim answers.
constexpr std::size_t kMaxHeaderBytes = 64u << 10;
constexpr milliseconds kMaxPoll{1'000};

void start_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

std::string number_of(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* raw = address.sa_family == AF_INET
                        ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(address).sin_addr)
                        : &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  ::inet_ntop(address.sa_family, raw, text.data(), text.size());
  return text.data();
}

std::string without_zone(const std::string& number) {
  return number.substr(0, number.find('%'));
}

}  // namespace

struct HttpTransfer::State {
  struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct FreeMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  State(std::string text, HttpTls trust, std::stop_token token)
      : shown(std::move(text)), tls(std::move(trust)), stop(std::move(token)) {}

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self);
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self);
  static curl_socket_t on_socket(void* self, curlsocktype, curl_sockaddr* address);
  static int on_close(void* self, curl_socket_t socket);

  void begin(const HttpFetch& request);
  void set_options(const HttpFetch& request);
  void set_limits();
  void set_tls();
  // Runs libcurl once, or waits if it has nothing to do.
  void step(MonotonicTime until);
  void drop();
  [[noreturn]] void fail();
  [[noreturn]] void fail_in_time() const;

  const std::string shown;
  const HttpTls tls;
  const std::stop_token stop;
  curl_socket_t socket =
      CURL_SOCKET_BAD;  // the last one opened; declared first, because libcurl's handles close it
  std::unique_ptr<CURLM, FreeMulti> multi;
  std::unique_ptr<CURL, FreeEasy> easy;
  std::unique_ptr<curl_slist, FreeList> pins;
  std::vector<std::string> allowed;  // numeric addresses that may be connected to
  std::array<char, CURL_ERROR_SIZE> error{};
  HttpReply answer;
  std::size_t header_bytes = 0;
  bool headers_too_long = false;
  bool elsewhere = false;  // libcurl was about to connect to an address that is not allowed
  bool answered = false;
  bool added = false;
  bool done = false;
  CURLcode result = CURLE_OK;
  std::vector<char> body;
  std::size_t taken = 0;  // bytes of body that read() has returned
};

std::size_t HttpTransfer::State::on_header(char* data, std::size_t, std::size_t size, void* self) {
  auto& state = *static_cast<State*>(self);
  state.header_bytes += size;
  if (state.header_bytes > kMaxHeaderBytes) {
    state.headers_too_long = true;
    return 0;
  }
  const std::string_view line(data, size);
  if (state.answered) return size;  // a trailer of a chunked body
  read_header_line(state.answer, line);
  // Stops before the body of a refusal or redirection, and before one that would have to be decoded. libcurl
  // itself handles 401.
  const bool complete = line == "\r\n" || line == "\n";
  const bool refusal = state.answer.status >= 300 && state.answer.status != 401;
  if (complete && (refusal || state.answer.encoded())) state.answered = true;
  return size;
}

std::size_t HttpTransfer::State::on_body(char* data, std::size_t, std::size_t size, void* self) {
  auto& state = *static_cast<State*>(self);
  state.answered = true;
  state.body.insert(state.body.end(), data, data + size);
  return size;
}

curl_socket_t HttpTransfer::State::on_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& state = *static_cast<State*>(self);
  if (std::ranges::find(state.allowed, number_of(address->addr)) == state.allowed.end()) {
    state.elsewhere = true;
    return CURL_SOCKET_BAD;
  }
  state.socket = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  return state.socket;
}

int HttpTransfer::State::on_close(void* self, curl_socket_t socket) {
  auto& state = *static_cast<State*>(self);
  if (state.socket == socket) state.socket = CURL_SOCKET_BAD;
  return ::close(socket);
}

void HttpTransfer::State::set_limits() {
  CURL* const handle = easy.get();
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, long(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(handle, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_HTTP_CONTENT_DECODING, 0L);
  curl_easy_setopt(handle, CURLOPT_NETRC, long(CURL_NETRC_IGNORED));
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, 0x7fffffffL);  // `until` counts instead
  curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
}

void HttpTransfer::State::set_tls() {
  CURL* const handle = easy.get();
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, long(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
  if (tls.ca.empty()) return;
  curl_easy_setopt(handle, CURLOPT_CAINFO, tls.ca.c_str());
  curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
}

void HttpTransfer::State::set_options(const HttpFetch& request) {
  CURL* const handle = easy.get();
  curl_easy_reset(handle);
  set_limits();
  set_tls();
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error.data());
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, on_socket);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(handle, CURLOPT_CLOSESOCKETFUNCTION, on_close);
  curl_easy_setopt(handle, CURLOPT_CLOSESOCKETDATA, this);
  curl_easy_setopt(handle, CURLOPT_URL, request.address.url().c_str());
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "Palisade");
  curl_easy_setopt(handle, CURLOPT_RESOLVE, pins.get());
  if (request.from) curl_easy_setopt(handle, CURLOPT_RANGE, format("{}-", *request.from).c_str());
  if (!request.credentials) return;
  curl_easy_setopt(handle, CURLOPT_HTTPAUTH, long(CURLAUTH_BASIC | CURLAUTH_DIGEST));
  curl_easy_setopt(handle, CURLOPT_USERNAME, request.credentials->username.c_str());
  curl_easy_setopt(handle, CURLOPT_PASSWORD, request.credentials->password.c_str());
}

void HttpTransfer::State::begin(const HttpFetch& request) {
  drop();
  start_curl_once();
  if (multi == nullptr) multi.reset(curl_multi_init());
  if (easy == nullptr) easy.reset(curl_easy_init());
  if (multi == nullptr || easy == nullptr) throw std::bad_alloc();
  answer = {};
  header_bytes = 0;
  headers_too_long = elsewhere = answered = done = false;
  result = CURLE_OK;
  error.fill('\0');
  body.clear();
  taken = 0;
  allowed.clear();
  pins.reset();
  std::string pin;
  for (const std::string& number : request.pinned) {
    pin += (pin.empty() ? "" : ",") + (number.find(':') == std::string::npos ? number : "[" + number + "]");
    allowed.push_back(without_zone(number));
  }
  if (is_numeric_host(request.address.host)) allowed.push_back(without_zone(request.address.host));
  if (!pin.empty()) {
    pins.reset(curl_slist_append(
        nullptr, format("{}:{}:{}", request.address.host, request.address.port, pin).c_str()));
    if (pins == nullptr) throw std::bad_alloc();
  }
  set_options(request);
  if (curl_multi_add_handle(multi.get(), easy.get()) != CURLM_OK) throw std::bad_alloc();
  added = true;
}

void HttpTransfer::State::drop() {
  if (added) curl_multi_remove_handle(multi.get(), easy.get());
  added = false;
}

void HttpTransfer::State::step(MonotonicTime until) {
  int running = 0;
  const bool before = answered;
  curl_multi_perform(multi.get(), &running);
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    done = true;
    result = message->data.result;
  }
  if (done || answered != before || taken < body.size()) return;
  const auto left_time = std::chrono::ceil<milliseconds>(until - steady_clock::now());
  if (stop.stop_requested() || left_time <= milliseconds(0)) return;
  curl_multi_poll(multi.get(), nullptr, 0, int(std::min(left_time, kMaxPoll).count()), nullptr);
}

void HttpTransfer::State::fail_in_time() const {
  if (stop.stop_requested()) throw SourceError(SourceFault::kInterrupted, shown + ": stopped");
  throw SourceError(SourceFault::kStalled, shown + ": nothing was sent for too long");
}

void HttpTransfer::State::fail() {
  HttpFailure failure{.code = result, .detail = error.data()};
  curl_easy_getinfo(easy.get(), CURLINFO_OS_ERRNO, &failure.os_error);
  curl_easy_getinfo(easy.get(), CURLINFO_SSL_VERIFYRESULT, &failure.certificate);
  failure.headers_too_long = headers_too_long;
  failure.elsewhere = elsewhere;
  failure.own_ca = tls.ca;
  failure.any_answer = header_bytes > 0;
  throw fault_of(failure, shown);
}

HttpTransfer::HttpTransfer(std::string shown, HttpTls tls, std::stop_token stop)
    : state_(std::make_unique<State>(std::move(shown), std::move(tls), std::move(stop))) {}

HttpTransfer::~HttpTransfer() {
  state_->drop();
}

const HttpReply& HttpTransfer::request(const HttpFetch& request, MonotonicTime until) {
  State& state = *state_;
  state.begin(request);
  const std::stop_callback wake(state.stop, [&] { curl_multi_wakeup(state.multi.get()); });
  while (!state.answered && !state.done) {
    if (state.stop.stop_requested() || steady_clock::now() >= until) state.fail_in_time();
    state.step(until);
  }
  if (!state.answered && state.result != CURLE_OK) state.fail();
  state.answered = true;
  return state.answer;
}

std::size_t HttpTransfer::read(std::span<std::byte> out, MonotonicTime until) {
  State& state = *state_;
  if (out.empty()) return 0;
  const std::stop_callback wake(state.stop, [&] { curl_multi_wakeup(state.multi.get()); });
  while (state.taken == state.body.size()) {
    state.body.clear();
    state.taken = 0;
    if (state.done && state.result != CURLE_OK) state.fail();
    if (state.done) return 0;
    if (state.stop.stop_requested() || steady_clock::now() >= until) state.fail_in_time();
    state.step(until);
  }
  const std::size_t size = std::min(out.size(), state.body.size() - state.taken);
  std::memcpy(out.data(), state.body.data() + state.taken, size);
  state.taken += size;
  return size;
}

HttpTransfer::Progress HttpTransfer::progress() const {
  curl_off_t secured = 0;
  if (state_->easy == nullptr) return Progress::kNone;
  curl_easy_getinfo(state_->easy.get(), CURLINFO_APPCONNECT_TIME_T, &secured);
  if (secured > 0) return Progress::kSecured;
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  const bool connected = state_->socket != CURL_SOCKET_BAD &&
                         ::getpeername(state_->socket, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
  return connected ? Progress::kConnected : Progress::kNone;
}

bool HttpTransfer::ended() const {
  return state_->done && state_->result == CURLE_OK && state_->taken == state_->body.size();
}

}  // namespace palisade
