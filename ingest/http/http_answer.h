#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// "bytes 100-199/1000" of a partial answer.
struct ContentRange {
  std::int64_t first = 0;
  std::optional<std::int64_t> total;
};

// What the headers of an answer say, as far as it matters here.
struct HttpAnswer {
  int status = 0;
  std::string type;      // "video/mp4": lower case, without parameters
  std::string encoding;  // of the body: "gzip"; empty for none
  std::string transfer;  // "chunked"
  std::string location;  // where a redirection leads
  bool accepts_ranges = false;
  std::optional<std::int64_t> length;  // of the body
  std::optional<ContentRange> range;
  std::vector<std::string> challenges;  // ways to authenticate: "Digest algorithm=SHA-256"; names alone

  // Whether the body is anything but its own bytes, in one piece or in chunks.
  bool encoded() const { return !encoding.empty() || (!transfer.empty() && transfer != "chunked"); }
  bool redirects() const {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  }
};

// Takes in one header line. A status line begins a new answer.
void read_header_line(HttpAnswer& answer, std::string_view line);

}  // namespace palisade
