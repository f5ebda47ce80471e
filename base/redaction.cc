#include "base/redaction.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/percent_encoding.h"

namespace palisade {
namespace {

constexpr std::string_view kHidden = "***";
constexpr auto kNotFound = std::string_view::npos;

bool is_blank(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

std::string lowered(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = char(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

// Whether a key ends like the name of a secret: "user-pw", "apikey", "passwd".
bool names_a_secret(std::string_view key) {
  constexpr std::array<std::string_view, 16> kEndings = {
      "pw",    "password", "passphrase", "passwd", "pass",       "pwd",     "psw",       "passcode",
      "token", "secret",   "key",        "auth",   "credential", "session", "signature", "credentials"};
  const std::string name = lowered(key);
  return std::ranges::any_of(
      kEndings, [&](std::string_view ending) { return std::string_view(name).ends_with(ending); });
}

// The names among these after which only a password can follow.
bool names_a_password(std::string_view key) {
  constexpr std::array<std::string_view, 7> kNames = {"password", "passwd", "pass",  "pwd",
                                                      "psw",      "pw",     "secret"};
  const std::string name = lowered(key);
  return std::ranges::find(kNames, name) != kNames.end();
}

// A text with its percent-encoded characters decoded, also those that are encoded twice ("%253d").
struct DecodedText {
  std::string text;
  std::vector<std::size_t> at;  // each character's offset in the original, and the original's size
};

std::optional<char> encoded_at(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size() || text[at] != '%') return std::nullopt;
  const std::string one = percent_decoded(text.substr(at, 3));
  return one.size() == 1 ? std::optional(one[0]) : std::nullopt;
}

DecodedText decoded_view(std::string_view text) {
  DecodedText view;
  for (std::size_t i = 0; i < text.size();) {
    const auto encoded = encoded_at(text, i);
    view.at.push_back(i);
    view.text += encoded.value_or(text[i]);
    i += encoded ? 3 : 1;
  }
  view.at.push_back(text.size());
  return view;
}

// The user information in what follows "://"; nothing if there is no '@'. It extends to the last '@', because
// a password that is not percent-encoded may itself contain '/', '?' or '@'.
std::optional<std::string_view> user_information(std::string_view rest) {
  const std::size_t at = rest.rfind('@');
  return at == kNotFound ? std::nullopt : std::optional(rest.substr(0, at));
}

// Whether this is a host with an optional numeric port, such as "cam:554" or "[fe80::1]:80". "admin:secret"
// is not: it may be what is left of a URL that was cut off.
bool is_host(std::string_view authority) {
  if (decoded_view(authority).text != authority) return false;
  const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
  const std::size_t colon = authority.find(':', bracket == kNotFound ? 0 : bracket);
  if (colon == kNotFound) return true;
  const std::string_view port = authority.substr(colon + 1);
  return port.size() <= 5 && std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
}

// The size of the part of a path that may be shown: up to the first '=' or ':', or the first word for a
// password.
std::size_t shown_of_path(std::string_view path) {
  const DecodedText once = decoded_view(path);
  const DecodedText twice = decoded_view(once.text);
  std::size_t word = 0;
  for (std::size_t i = 0; i < twice.text.size(); ++i) {
    const char c = twice.text[i];
    if (is_word(c)) continue;
    const bool password = names_a_password(std::string_view(twice.text).substr(word, i - word));
    if (c == '=' || c == ':' || (password && c != '.')) return once.at[twice.at[i + 1]];
    word = i + 1;
  }
  return kNotFound;
}

std::string redact_path(std::string_view path) {
  const std::size_t shown = shown_of_path(path);
  if (shown == kNotFound || shown >= path.size()) return std::string(path);
  return std::string(path.substr(0, shown)).append(kHidden);
}

bool is_plain_key(std::string_view key) {
  return key.size() <= 32 &&
         std::ranges::all_of(key, [](char c) { return is_word(c) || c == '_' || c == '-' || c == '.'; });
}

// "a=1&b" becomes "a=***&***", because a parameter without a value may itself be a token.
std::string redact_query(std::string_view query) {
  std::string out;
  while (true) {
    const std::size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    const std::size_t equals = part.find('=');
    if (equals != kNotFound && is_plain_key(part.substr(0, equals))) out.append(part.substr(0, equals + 1));
    if (!part.empty()) out.append(kHidden);
    if (end == kNotFound) return out;
    out += '&';
    query.remove_prefix(end + 1);
  }
}

std::string redact_from_host(std::string_view rest) {
  const std::size_t path = std::min(rest.find_first_of("/?#"), rest.size());
  if (!is_host(rest.substr(0, path))) return std::string(kHidden);
  return std::string(rest.substr(0, path)) + redact_path_and_query(rest.substr(path));
}

// The end of the value that starts at `from`. A quoted value may contain spaces.
std::size_t value_end(std::string_view line, std::size_t from) {
  const char quote = from < line.size() ? line[from] : ' ';
  std::size_t i = from;
  if (quote == '"' || quote == '\'') {
    for (i = from + 1; i < line.size() && line[i] != quote; ++i) {
      if (line[i] == '\\') ++i;
    }
    return std::min(i + 1, line.size());
  }
  while (i < line.size() && !is_blank(line[i])) i += line[i] == '\\' ? 2 : 1;
  return std::min(i, line.size());
}

// The place of a value in a text.
struct Value {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// The next value, from `from` on, of a property that is named like a secret: user-pw=VALUE, "password":
// VALUE.
std::optional<Value> next_secret_value(std::string_view line, std::size_t from) {
  for (std::size_t i = from; i < line.size(); ++i) {
    const bool quoted = line[i] == ':' && i > from && (line[i - 1] == '"' || line[i - 1] == '\'');
    if (line[i] != '=' && !quoted) continue;
    std::size_t key = quoted ? i - 1 : i;
    while (key > from && is_blank(line[key - 1])) --key;
    const std::size_t key_end = key;
    while (key > from && !is_blank(line[key - 1]) &&
           std::string_view("=\"'").find(line[key - 1]) == kNotFound)
      --key;
    if (!names_a_secret(line.substr(key, key_end - key))) continue;
    std::size_t value = i + 1;
    while (value < line.size() && is_blank(line[value])) ++value;
    return Value{value, value_end(line, value)};
  }
  return std::nullopt;
}

// Hides the rest of the line behind "Authorization:".
std::string redact_headers(std::string_view text) {
  const std::string lower = lowered(text);
  std::string out;
  std::size_t shown = 0;
  for (std::size_t at; (at = lower.find("authorization:", shown)) != kNotFound;) {
    const std::size_t value = at + std::string_view("authorization:").size();
    out.append(text.substr(shown, value - shown)).append(" ").append(kHidden);
    shown = std::min(text.find_first_of("\r\n", value), text.size());
  }
  return out.append(text.substr(shown));
}

// Where the first URL's scheme ends: behind "scheme://", or behind "scheme:/", into which path libraries turn
// it.
std::size_t scheme_end(std::string_view text) {
  for (std::size_t at = 0; (at = text.find(":/", at)) != kNotFound; ++at) {
    if (text.substr(at).starts_with("://")) return at + 3;
    std::size_t word = at;
    while (word > 0 && is_word(text[word - 1])) --word;
    const std::string scheme = lowered(text.substr(word, at - word));
    for (const std::string_view known :
         {"rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "rtp", "srt", "ftp"}) {
      if (scheme == known) return at + 2;
    }
  }
  return kNotFound;
}

// Hides the credentials of "admin:secret@cam", which libraries print of a URL without its scheme.
std::string redact_word(std::string_view word) {
  const std::size_t at = word.rfind('@'), colon = word.find(':');
  const bool credentials =
      at != kNotFound && colon < at && at + 1 < word.size() && (is_word(word[at + 1]) || word[at + 1] == '[');
  return credentials ? std::string(kHidden).append(word.substr(at)) : std::string(word);
}

std::string redact_words(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t end = 0;
    while (end < text.size() && !is_blank(text[end])) ++end;
    out += redact_word(text.substr(0, end));
    while (end < text.size() && is_blank(text[end])) out += text[end++];
    text.remove_prefix(end);
  }
  return out;
}

std::string redact_urls(std::string_view rest) {
  std::string out;
  for (std::size_t start; (start = scheme_end(rest)) != kNotFound;) {
    std::size_t end = start;
    // Quotes do not end a URL, because a password may contain them.
    while (end < rest.size() && !is_blank(rest[end])) ++end;
    std::size_t shown_end = end;
    while (shown_end > start && std::string_view("\"'),.;:]>").find(rest[shown_end - 1]) != kNotFound)
      --shown_end;
    out.append(redact_words(rest.substr(0, start)))
        .append(redact_authority(rest.substr(start, shown_end - start)));
    out.append(rest.substr(shown_end, end - shown_end));
    rest.remove_prefix(end);
  }
  return out.append(redact_words(rest));
}

void add_secret(std::vector<std::string>& secrets, std::string_view secret) {
  constexpr std::size_t kMinLength = 3;  // shorter ones occur in ordinary words
  for (const std::string& one : {std::string(secret), percent_decoded(secret)}) {
    if (one.size() >= kMinLength && std::ranges::find(secrets, one) == secrets.end()) secrets.push_back(one);
  }
}

// Adds the password of "admin:secret", also if the ':' is percent-encoded. Long user information without ':'
// counts as a token.
void add_password(std::vector<std::string>& secrets, std::string_view user) {
  constexpr std::size_t kLikeToken = 16;
  const std::string plain = percent_decoded(user);
  for (const std::string_view one : {user, std::string_view(plain)}) {
    const std::size_t colon = one.find(':');
    if (colon != kNotFound) add_secret(secrets, one.substr(colon + 1));
    if (colon == kNotFound && one.size() >= kLikeToken) add_secret(secrets, one);
  }
}

// Adds the values of parameters that are named like secrets, in a path, a query or a fragment, with any
// separator.
void add_parameters(std::vector<std::string>& secrets, std::string_view text) {
  const std::string plain = percent_decoded(text);
  for (const std::string_view part : {text, std::string_view(plain)}) {
    for (std::size_t equals = 0; (equals = part.find_first_of("=:", equals)) != kNotFound; ++equals) {
      std::size_t key = equals;
      while (key > 0 && is_word(part[key - 1])) --key;
      if (!names_a_secret(part.substr(key, equals - key))) continue;
      const std::string_view value = part.substr(equals + 1);
      add_secret(secrets, value.substr(0, value.find_first_of("&;/?# ")));
      // In "password=secret_channel=1" the '_' before the next '=' may be the separator.
      const std::string_view before = value.substr(0, value.find('='));
      if (before.size() < value.size()) add_secret(secrets, before.substr(0, before.find_last_of("_&;/?,")));
    }
  }
}

}  // namespace

// If a '?' or '#' comes before the last '@', a password cannot be told from a query, and nothing is shown.
std::string redact_authority(std::string_view rest) {
  const auto user = user_information(rest);
  if (!user) return redact_from_host(rest);
  if (user->find_first_of("?#") != kNotFound) return std::string(kHidden);
  return std::string(kHidden) + "@" + redact_from_host(rest.substr(user->size() + 1));
}

std::string redact_path_and_query(std::string_view rest) {
  const std::size_t end = rest.find_first_of("?#");
  std::string out = redact_path(rest.substr(0, end));
  if (end == kNotFound) return out;
  out += rest[end];
  return rest[end] == '?' ? out + redact_query(rest.substr(end + 1)) : out.append(kHidden);
}

std::string redact_properties(std::string_view line) {
  std::string out;
  std::size_t shown = 0;
  while (const auto value = next_secret_value(line, shown)) {
    out.append(line.substr(shown, value->begin - shown)).append(kHidden);
    shown = value->end;
  }
  return out.append(line.substr(shown));
}

std::string redact_text(std::string_view text, std::string_view secret) {
  return redact_headers(redact_properties(redact_urls(without(text, secret))));
}

std::vector<std::string> secrets_in(std::string_view url) {
  std::vector<std::string> secrets;
  for (auto value = next_secret_value(url, 0); value; value = next_secret_value(url, value->end)) {
    std::string_view text = url.substr(value->begin, value->end - value->begin);
    if (text.size() > 2 && (text.front() == '"' || text.front() == '\''))
      text = text.substr(1, text.size() - 2);
    add_secret(secrets, text);
  }
  const std::size_t start = scheme_end(url);
  if (start == kNotFound) return secrets;
  const std::string_view rest = url.substr(start);
  for (const auto user :
       {user_information(rest), user_information(rest.substr(0, rest.find_first_of("/?#")))}) {
    if (user) add_password(secrets, *user);
  }
  const std::size_t path = rest.find_first_of("/?#", rest.rfind('@') == kNotFound ? 0 : rest.rfind('@'));
  if (path != kNotFound) add_parameters(secrets, rest.substr(path));
  return secrets;
}

std::string without(std::string_view text, std::string_view secret) {
  if (secret.empty()) return std::string(text);
  std::string out;
  for (std::size_t at; (at = text.find(secret)) != kNotFound; text.remove_prefix(at + secret.size()))
    out.append(text.substr(0, at)).append(kHidden);
  std::string plain = out.append(text);
  if (plain.find('%') == kNotFound) return plain;
  const DecodedText view = decoded_view(plain);
  std::string hidden;
  std::size_t shown = 0, from = 0;
  for (std::size_t at; (at = view.text.find(secret, from)) != kNotFound; from = at + secret.size()) {
    hidden.append(plain, shown, view.at[at] - shown).append(kHidden);
    shown = view.at[at + secret.size()];
  }
  return hidden.append(plain, shown);
}

}  // namespace palisade
