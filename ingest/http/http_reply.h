#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// The Content-Range header of a partial answer: "bytes 100-199/1000".
struct ContentRange {
  std::int64_t first = 0;
  std::optional<std::int64_t> total;
};

// The headers of an answer that matter to Palisade.
struct HttpReply {
  int status = 0;
  std::string type;      // "video/mp4": lower case, without parameters
  std::string encoding;  // Content-Encoding, such as "gzip"; empty if there is none
  std::string transfer;  // Transfer-Encoding, such as "chunked"
  std::string location;  // target of a redirection
  bool accepts_ranges = false;
  std::optional<std::int64_t> length;  // Content-Length
  std::optional<ContentRange> range;
  std::vector<std::string> challenges;  // offered ways to authenticate, such as "Digest algorithm=SHA-256"

  // Whether the body has an encoding other than chunks.
  bool encoded() const { return !encoding.empty() || (!transfer.empty() && transfer != "chunked"); }
  bool redirects() const {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  }
};

// Adds one header line to `answer`. A status line begins a new answer.
void read_header_line(HttpReply& answer, std::string_view line);

}  // namespace palisade
