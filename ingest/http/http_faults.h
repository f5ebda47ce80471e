#pragma once

#include <string>

#include "ingest/http/http_answer.h"
#include "ingest/source/source.h"

namespace palisade {

// How a request failed, as libcurl tells it.
struct HttpFailure {
  int code = 0;             // CURLcode
  std::string detail;       // libcurl's own words
  long os_error = 0;        // errno of a connection that could not be made
  long certificate = 0;     // OpenSSL's X509_V_ERR_... of a certificate that was not taken
  bool any_answer = false;  // whether any of its headers came
  bool headers_too_long = false;
  bool elsewhere = false;  // libcurl was about to connect to an address that was not judged
  std::string own_ca;      // tls_ca: of the stream
};

// The cause and the remedy, behind `shown`.
SourceError fault_of(const HttpFailure& failure, const std::string& shown);

// The same of an answer that gives nothing to read: refusals, faults of the server. `with_credentials`:
// whether any were sent.
SourceError fault_of(const HttpAnswer& answer, bool with_credentials, const std::string& shown);

}  // namespace palisade
