#include "ingest/rtsp/rtsp_faults.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/format.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kProbeSlice{40};

std::string answers(const RtspAnswer& answer) {
  std::string reason;  // text from the camera, which may hold anything
  for (const char c : answer.reason) reason += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return format(": the camera answers {}{}", answer.status,
                reason.empty() ? "" : format(" ({})", reason.substr(0, 80)));
}

SourceError wrong_login(const RtspAnswer& answer, const RtspAddress& address, const std::string& shown) {
  if (!answer.challenges.empty() && std::ranges::none_of(answer.challenges, can_be_answered)) {
    const std::string& asked = answer.challenges.front();
    const std::string what = asked.starts_with("Digest")
                                 ? "a digest with " + digest_algorithm(asked) + " alone"
                                 : "a login of a kind of its own";
    return {SourceFault::kAuthFailed,
            shown + ": asks for " + what +
                ", which is not read: let the camera offer Digest with MD5, or Basic "
                "within rtsps"};
  }
  const char* const remedy = address.username.empty() && address.password.empty()
                                 ? ": it asks for a user name and a password: give them (username, password)"
                                 : ": check its user name and password";
  return {SourceFault::kAuthFailed, shown + answers(answer) + remedy};
}

// A probe of the camera on a connection of its own.
class Probe {
 public:
  Probe(milliseconds patience, const std::stop_token& stop)
      : end_(steady_clock::now() + patience), stop_(stop) {}
  ~Probe() { close(); }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  // Returns 0 or an errno; ETIMEDOUT without an answer in time.
  int connect(const addrinfo& place) {
    close();
    socket_ = ::socket(place.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_ < 0) return errno;
    if (::connect(socket_, place.ai_addr, place.ai_addrlen) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    if (!await(POLLOUT)) return ETIMEDOUT;
    int fault = 0;
    socklen_t size = sizeof fault;
    ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &fault, &size);
    return fault;
  }
  // The first bytes of the answer; empty where the server closes or sends nothing.
  std::string answer_to(std::string_view request) {
    std::array<char, 64> bytes{};
    if (::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) < 0 || !await(POLLIN)) return {};
    const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), 0);
    return got > 0 ? std::string(bytes.data(), std::size_t(got)) : std::string();
  }
  bool timed_out() const { return stop_.stop_requested() || steady_clock::now() >= end_; }

 private:
  bool await(short event) {
    while (!timed_out()) {
      pollfd waiting{socket_, event, 0};
      if (::poll(&waiting, 1, int(kProbeSlice.count())) > 0) return true;
    }
    return false;
  }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

  const MonotonicTime end_;
  const std::stop_token& stop_;
  int socket_ = -1;
};

std::string unconnected(int fault, const RtspAddress& address) {
  if (fault == ECONNREFUSED) {
    return format("Connection refused: nothing listens at port {}: is it on, and are address and port right?",
                  address.port);
  }
  return std::string(std::strerror(fault)) + ": is there a way to it from this machine?";
}

// A minimal TLS ClientHello. Any TLS server answers it, at least with an alert.
std::string client_hello() {
  const std::string random(32, 'p');
  const std::string suites = {'\xc0', '\x2f', '\xc0', '\x30', '\xc0', '\x2b', '\0', '\x2f'};
  const std::string body = std::string{'\x03', '\x03'} + random +
                           std::string{'\0', '\0', char(suites.size())} + suites + std::string{'\x01', '\0'};
  return std::string{'\x16', '\x03', '\x01',           '\0', char(body.size() + 4), '\x01',
                     '\0',   '\0',   char(body.size())} +
         body;
}

bool is_tls(std::string_view answer) {
  return answer.size() >= 2 && (answer[0] == 0x15 || answer[0] == 0x16) && answer[1] == 0x03;
}

// What answered `OPTIONS`, where that was no camera.
std::optional<std::string> misunderstanding(std::string_view answer, const RtspAddress& address) {
  const std::string port = std::to_string(address.port);
  if (answer.starts_with("RTSP/")) {
    if (!address.secure) return std::nullopt;
    return "does not speak TLS at port " + port + ": write rtsp://, or give its port for TLS";
  }
  if (answer.starts_with("HTTP/"))
    return "is a web server at port " + port + ", not a camera: give its RTSP port, mostly 554";
  if (is_tls(answer) && address.secure) return std::nullopt;
  if (is_tls(answer)) return "speaks TLS at port " + port + ": write rtsps://";
  if (answer.empty()) {
    if (address.secure) return std::nullopt;
    return "closes the connection without an answer: is this its RTSP port, and has it too many viewers?";
  }
  return "does not answer as a camera does: is port " + port + " its RTSP port?";
}

}  // namespace

std::optional<SourceError> fault_of(const RtspAnswer& answer, const RtspAddress& address,
                                    const std::string& shown) {
  if (answer.status == 401) return wrong_login(answer, address, shown);
  const std::string said = shown + answers(answer);
  switch (answer.status) {
    case 403:
      return SourceError(SourceFault::kAuthFailed, said +
                                                       ": this user may not see the stream: check its user "
                                                       "name and password, and its rights");
    case 404:
      return SourceError(SourceFault::kUnreachable, said + ": is the path of its address right?");
    case 453:
    case 503:
      return SourceError(SourceFault::kUnreachable, said + ": has it too many viewers?");
    case 454:
      return SourceError(SourceFault::kUnreachable, said + ": it has dropped the session");
    case 461:
      return SourceError(SourceFault::kUnreadable,
                         said + ": it does not send over this transport: set transport: auto, tcp or udp");
    default:
      break;
  }
  if (answer.redirects())
    return SourceError(SourceFault::kUnreachable,
                       said + ": it does not say where: give the stream's own address");
  if (answer.status >= 500)
    return SourceError(SourceFault::kUnreachable, said + ": is something wrong with the camera?");
  if (answer.refuses())
    return SourceError(SourceFault::kUnreachable, said + ": is the path of its address right?");
  return std::nullopt;
}

SourceError unknown_host(const RtspAddress& address, const std::string& shown) {
  return {SourceFault::kUnreachable, shown + ": no host is found by the name " + address.host +
                                         ": is it spelled right, and does the name server answer?"};
}

SourceError no_answer(const std::string& shown, milliseconds patience) {
  return {SourceFault::kUnreachable,
          format("{}: no answer within {} ms: is it on, and are address, port and path right?", shown,
                 patience.count())};
}

std::string unknown_encoding_text(const std::string& encoding) {
  return ": sends video as " + (encoding.empty() ? "something unnamed" : encoding.substr(0, 40)) +
         ", which is not read: let it send H.264 or H.265";
}

std::optional<SourceError> connection_fault(const RtspAddress& address, const std::string& shown,
                                            milliseconds patience, const std::stop_token& stop) {
  const auto unreachable = [&](const std::string& why) {
    return SourceError(SourceFault::kUnreachable, shown + ": " + why);
  };
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> places(found, ::freeaddrinfo);
  if (code != 0) return unknown_host(address, shown);
  Probe probe(patience, stop);
  int fault = ECONNREFUSED;
  const addrinfo* place = places.get();
  for (; place != nullptr && (fault = probe.connect(*place)) != 0; place = place->ai_next) {
  }
  if (fault == ETIMEDOUT) return std::nullopt;
  if (fault != 0) return unreachable(unconnected(fault, address));
  std::string answer = probe.answer_to("OPTIONS " + address.url() + " RTSP/1.0\r\nCSeq: 1\r\n\r\n");
  if (answer.empty() && probe.timed_out()) return std::nullopt;
  // Some servers of TLS go without a word when they hear none.
  if (answer.empty() && probe.connect(*place) == 0) {
    const std::string other = probe.answer_to(client_hello());
    if (is_tls(other)) answer = other;
  }
  if (const auto why = misunderstanding(answer, address)) return unreachable(*why);
  return std::nullopt;
}

}  // namespace palisade
