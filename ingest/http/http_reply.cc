#include "ingest/http/http_reply.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace palisade {
namespace {

constexpr std::size_t kMaxChallenges = 8;

std::string lower_case(std::string_view text) {
  std::string out;
  for (const char c : text) out += char(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string_view without_space(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<ContentRange> range_in(std::string_view text) {
  if (!lower_case(text).starts_with("bytes")) return std::nullopt;
  text = without_space(text.substr(5));
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos) return std::nullopt;
  const std::optional<std::int64_t> first = number_in(text.substr(0, dash));
  if (!first) return std::nullopt;
  return ContentRange{*first, number_in(without_space(text.substr(slash + 1)))};
}

// The method and algorithm of a WWW-Authenticate challenge, without realm and nonce: "Digest
// algorithm=SHA-256".
std::string challenge_in(std::string_view text) {
  std::string name(text.substr(0, text.find(' ')));
  const std::string lower = lower_case(text);
  if (const std::size_t at = lower.find("algorithm"); at != std::string::npos) {
    std::string_view value = without_space(text.substr(at + 9));
    if (value.starts_with('=')) value = without_space(value.substr(1));
    if (value.starts_with('"')) value.remove_prefix(1);
    name += " algorithm=" + std::string(value.substr(0, value.find_first_of("\", \t")));
  }
  return name.substr(0, 64);
}

}  // namespace

void read_header_line(HttpReply& answer, std::string_view line) {
  if (line.starts_with("HTTP/")) {
    answer = {};
    const std::size_t space = line.find(' ');
    if (space != std::string_view::npos)
      answer.status = int(number_in(line.substr(space + 1, 3)).value_or(0));
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string name = lower_case(without_space(line.substr(0, colon)));
  const std::string_view value = without_space(line.substr(colon + 1));
  if (name == "content-type") {
    answer.type = lower_case(without_space(value.substr(0, value.find(';'))));
  } else if (name == "content-encoding") {
    answer.encoding = lower_case(value);
    if (answer.encoding == "identity") answer.encoding.clear();
  } else if (name == "transfer-encoding") {
    answer.transfer += (answer.transfer.empty() ? "" : ",") + lower_case(value);
  } else if (name == "location") {
    answer.location = value;
  } else if (name == "accept-ranges") {
    answer.accepts_ranges = lower_case(value) == "bytes";
  } else if (name == "content-length") {
    answer.length = number_in(value);
  } else if (name == "content-range") {
    answer.range = range_in(value);
  } else if (name == "www-authenticate" && answer.challenges.size() < kMaxChallenges) {
    answer.challenges.push_back(challenge_in(value));
  }
}

}  // namespace palisade
