#pragma once

#include <string>

#include "ingest/http/http_reply.h"
#include "ingest/source/source.h"

namespace palisade {

// How a request failed, as libcurl reports it.
struct HttpFailure {
  int code = 0;             // CURLcode
  std::string detail;       // libcurl's message
  long os_error = 0;        // errno of a failed connection
  long certificate = 0;     // OpenSSL's X509_V_ERR_... of a certificate that was refused
  bool any_answer = false;  // some header was received
  bool headers_too_long = false;
  bool elsewhere = false;  // libcurl was about to connect to an address that is not among the allowed ones
  std::string own_ca;      // the stream's setting tls_ca
};

// The error with cause and remedy; its message begins with `shown`.
SourceError fault_of(const HttpFailure& failure, const std::string& shown);

// The same for an answer without a usable body, such as a refusal or a server error. `with_credentials`:
// whether credentials were sent.
SourceError fault_of(const HttpReply& answer, bool with_credentials, const std::string& shown);

}  // namespace palisade
