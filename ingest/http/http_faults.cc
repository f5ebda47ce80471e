#include "ingest/http/http_faults.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/format.h"
#include "base/redaction.h"

namespace palisade {
namespace {

constexpr const char* kTrustIt =
    ": name its certificate or authority in tls_ca:, or set tls_verify: false where the network is your own";

struct CertificateFault {
  long code;  // X509_V_ERR_...
  const char* text;
};

constexpr std::array<CertificateFault, 15> kCertificateFaults = {{
    {2, "its certificate is signed by an authority that is not known here"},
    {9, "its certificate is not valid yet: set the clocks of both sides right; else"},
    {10, "its certificate has expired: renew it; else"},
    {18, "its certificate is signed by itself"},
    {19, "its certificate is signed by an authority that is not known here"},
    {20, "its certificate is signed by an authority that is not known here"},
    {21, "its certificate is signed by an authority that is not known here"},
    {23, "its certificate has been revoked"},
    {24, "its certificate is signed by one that is no authority"},
    {26, "its certificate is not for servers"},
    {28, "its certificate is not trusted for servers"},
    {66, "the key of its certificate is too short"},
    {67, "the key of its certificate's authority is too short"},
    {68, "its certificate is signed with a method that is broken (MD5 or SHA-1)"},
    {79, "its certificate is signed by one that is no authority"},
}};

struct RequestFault {
  int code;
  SourceFault fault;
  const char* text;
};

constexpr std::array<RequestFault, 12> kRequestFaults = {{
    {CURLE_COULDNT_RESOLVE_HOST, SourceFault::kUnreachable, "no such host is known: is its name right?"},
    {CURLE_GOT_NOTHING, SourceFault::kUnreachable,
     "closes the connection without an answer: is its port right, or is it https?"},
    {CURLE_UNSUPPORTED_PROTOCOL, SourceFault::kUnreachable,
     "what answers does not speak HTTP: is its port right, or is it https?"},
    {CURLE_WEIRD_SERVER_REPLY, SourceFault::kUnreachable,
     "what answers does not speak HTTP: is its port right, or is it https?"},
    {CURLE_PARTIAL_FILE, SourceFault::kUnreachable,
     "the connection was lost before the end: is the network well?"},
    {CURLE_RECV_ERROR, SourceFault::kUnreachable, "the connection was lost: is the network well?"},
    {CURLE_SEND_ERROR, SourceFault::kUnreachable, "the connection was lost: is the network well?"},
    {CURLE_SSL_CACERT_BADFILE, SourceFault::kRefused,
     "tls_ca: names no file of certificates that can be read (PEM)"},
    {CURLE_BAD_CONTENT_ENCODING, SourceFault::kUnreadable,
     "its body is encoded in a way that is not read: let the server send it as it is"},
    {CURLE_AUTH_ERROR, SourceFault::kAuthFailed,
     "asks for a user name and password in a way that is not spoken here: set it to Digest or Basic"},
    {CURLE_SSL_CLIENTCERT, SourceFault::kAuthFailed,
     "asks for a client's certificate, which Palisade has not"},
    {CURLE_HTTP2, SourceFault::kUnreachable, "speaks HTTP/2 alone: let it speak HTTP/1.1"},
}};

std::string connect_fault(long os_error) {
  switch (os_error) {
    case ECONNREFUSED:
      return "refuses the connection: is it on, and is the port right?";
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL:
      return "there is no way to this host: are its address and this machine's network right?";
    case ETIMEDOUT:
      return "does not answer: is it on, and are address and port right?";
    default:
      return std::string("cannot be connected to") +
             (os_error != 0 ? std::string(" (") + std::strerror(int(os_error)) + ")" : "") +
             ": is it on, and are address and port right?";
  }
}

std::string certificate_fault(const HttpFailure& failure) {
  const auto* const known =
      std::ranges::find(kCertificateFaults, failure.certificate, &CertificateFault::code);
  if (known != kCertificateFaults.end()) {
    const std::string_view text = known->text;
    // A text that ends with "; else" has a remedy of its own, and kTrustIt is the alternative.
    return text.ends_with("; else") ? std::string(text) + std::string(kTrustIt).substr(1)
                                    : std::string(text) + kTrustIt;
  }
  // libcurl compares host names itself, without a code of OpenSSL.
  if (failure.certificate == 62 || failure.certificate == 64 ||
      failure.detail.find("subject name") != std::string::npos) {
    return "its certificate is for another host name: give the address with the name that stands in it, or "
           "set "
           "tls_verify: false where the network is your own";
  }
  return format("its certificate is not taken (OpenSSL's error {}){}", failure.certificate, kTrustIt);
}

// Only the text of OpenSSL's message tells why a handshake failed.
std::string handshake_fault(const std::string& detail) {
  const auto says = [&](const char* words) { return detail.find(words) != std::string::npos; };
  if (says("wrong version number") || says("packet length too long") || says("record layer failure")) {
    return "what answers does not speak TLS: is its port right, or is it http://?";
  }
  if (says("unsupported protocol") || says("protocol version")) {
    return "speaks an old TLS alone: 1.2 is the oldest that is taken; renew its software";
  }
  if (says("dh key too small") || says("no shared cipher") || says("handshake failure") ||
      says("legacy renegotiation") || says("illegal parameter")) {
    return "no encryption is taken by both sides: renew its software";
  }
  if (says("certificate required") || says("bad certificate")) {
    return "asks for a client's certificate, which Palisade has not: let it serve without";
  }
  return "its TLS breaks off: is its port right, and is it https?";
}

bool asks_for_unknown_way(const HttpReply& answer) {
  return std::ranges::none_of(answer.challenges, [](const std::string& challenge) {
    const std::string text = redact_text(challenge);
    const bool basic = text.size() >= 5 && ::strncasecmp(text.c_str(), "basic", 5) == 0;
    const bool digest = text.size() >= 6 && ::strncasecmp(text.c_str(), "digest", 6) == 0;
    const std::size_t at = text.find("algorithm=");
    const std::string algorithm = at == std::string::npos ? "MD5" : text.substr(at + 10);
    constexpr std::array<const char*, 4> kSpoken = {"MD5", "MD5-sess", "SHA-256", "SHA-256-sess"};
    return basic || (digest && std::ranges::any_of(kSpoken, [&](const char* spoken) {
                       return ::strcasecmp(spoken, algorithm.c_str()) == 0;
                     }));
  });
}

std::string printable(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) out += c;
  }
  return out;
}

std::string auth_fault(const HttpReply& answer, bool with_credentials) {
  if (!answer.challenges.empty() && asks_for_unknown_way(answer)) {
    std::string names;
    for (const std::string& challenge : answer.challenges)
      names += (names.empty() ? "" : ", ") + printable(challenge);
    return "asks for a user name and password in a way that is not spoken here (" + names +
           "): set it to Basic, or to Digest with MD5 or SHA-256";
  }
  return with_credentials ? "refuses this user name and password (401): check both"
                          : "asks for a user name and password (401): give username: and password_file:";
}

std::string status_text(int status) {
  switch (status) {
    case 204:
      return "has nothing to send (204): is the path right?";
    case 400:
      return "does not understand the request (400): are path and query of the address right?";
    case 404:
    case 410:
      return format("has nothing at this path ({}): is the path right?", status);
    case 405:
      return "does not allow this address to be read (405): is the path right?";
    case 408:
    case 504:
      return format("waited for too long itself ({}): is what it fetches from well?", status);
    case 429:
      return "is asked too often (429): ask less often, or let it allow more";
    case 500:
      return "has a fault of its own (500): look at its log";
    case 502:
    case 503:
      return format("cannot serve at the moment ({}): has it too many viewers, or is it starting?", status);
    default:
      break;
  }
  const std::string number = std::to_string(status);
  if (status >= 500) return "has a fault of its own (" + number + "): look at its log";
  if (status >= 400) return "refuses the request (" + number + "): are path and query of the address right?";
  if (status >= 300)
    return "leads elsewhere without saying where (" + number + "): give the stream's own address";
  return "gives an answer without a picture (" + number + "): is the path right?";
}

}  // namespace

SourceError fault_of(const HttpFailure& failure, const std::string& shown) {
  const auto error = [&](SourceFault fault, const std::string& text) {
    return SourceError(fault, shown + ": " + text);
  };
  if (failure.headers_too_long) {
    return error(SourceFault::kUnreadable,
                 "its headers are too long: is this the address of a video stream?");
  }
  if (failure.elsewhere) {
    return error(SourceFault::kRefused, "leads to another address than its name: this is not followed");
  }
  if (failure.code == CURLE_COULDNT_CONNECT) {
    return error(SourceFault::kUnreachable, connect_fault(failure.os_error));
  }
  if (failure.code == CURLE_PEER_FAILED_VERIFICATION) {
    return error(SourceFault::kUnreachable, certificate_fault(failure));
  }
  if (failure.code == CURLE_SSL_CONNECT_ERROR) {
    return error(SourceFault::kUnreachable, handshake_fault(failure.detail));
  }
  if (!failure.any_answer && (failure.code == CURLE_RECV_ERROR || failure.code == CURLE_SEND_ERROR)) {
    return error(SourceFault::kUnreachable,
                 "breaks the connection off before it answers: is its port right, or is it https?");
  }
  const auto* const known = std::ranges::find(kRequestFaults, failure.code, &RequestFault::code);
  if (known != kRequestFaults.end()) return error(known->fault, known->text);
  return error(SourceFault::kUnreachable, "the request failed (" +
                                              std::string(curl_easy_strerror(CURLcode(failure.code))) +
                                              "): are address, port and path right?");
}

SourceError fault_of(const HttpReply& answer, bool with_credentials, const std::string& shown) {
  if (answer.status == 401) {
    return {SourceFault::kAuthFailed, shown + ": " + auth_fault(answer, with_credentials)};
  }
  if (answer.status == 403) {
    return {SourceFault::kAuthFailed,
            shown + (with_credentials
                         ? ": does not let this user see it (403): check the user's rights, and the path"
                         : ": does not let anybody see it without permission (403): does it need "
                           "username: and password_file:, and is the path right?")};
  }
  if (answer.status == 407) {
    return {SourceFault::kUnreachable,
            shown +
                ": a proxy asks for a password (407): Palisade uses none; give the "
                "server's own address"};
  }
  const bool nothing = answer.status < 300;
  return {nothing ? SourceFault::kUnreadable : SourceFault::kUnreachable,
          shown + ": " + status_text(answer.status)};
}

}  // namespace palisade
