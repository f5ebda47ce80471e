#include "service/http/stream_settings.h"

#include <algorithm>
#include <charconv>

#include "base/format.h"
#include "base/joined.h"
#include "base/sha256.h"
#include "ingest/source/url.h"
#include "service/http/access.h"

namespace palisade {
namespace {

constexpr std::string_view kFileKeys[] = {"password_file", "url_file", "tls_ca", "picture", "adapter"};
// Files that hold a secret of the address they were written for.
constexpr std::string_view kSecretFiles[] = {"password_file", "url_file"};
constexpr std::string_view kCameraSchemes[] = {"rtsp://", "rtsps://", "http://", "https://"};

std::string text_at(const Json& json, const char* key) {
  return json.is_object() && json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
}

// "rtsp://camera:554" of an address with whatever before and behind it.
std::string server_of(const std::string& url) {
  const std::string shown = redact_url(url);
  const std::size_t scheme = shown.find("://");
  if (scheme == std::string::npos) return shown;
  std::string authority = shown.substr(scheme + 3);
  authority.resize(std::min(authority.find_first_of("/?#"), authority.size()));
  return format("{}://{} {}", scheme_of(url), authority.substr(authority.rfind('@') + 1), host_of(url));
}

// Whether both go to the same server as the same user, so that the one may have the other's secrets.
bool same_address(const Json& one, const Json& other) {
  return server_of(text_at(one, "url")) == server_of(text_at(other, "url")) &&
         text_at(one, "username") == text_at(other, "username");
}

bool is_camera(const std::string& url) {
  return !host_of(url).empty() && std::ranges::any_of(kCameraSchemes, [&](std::string_view scheme) {
    return url.starts_with(scheme);
  });
}

// All values of a key, wherever it stands.
void collect(const Json& json, std::string_view wanted, std::vector<Json>& values) {
  if (!json.is_structured()) return;
  for (const auto& [key, value] : json.items()) {
    if (json.is_object() && key == wanted) values.push_back(value);
    collect(value, wanted, values);
  }
}

// Calls `each` with pointer, key and value of all that objects hold.
template <class Each>
void for_each_entry(const Json& json, const std::string& pointer, const Each& each) {
  if (!json.is_structured()) return;
  for (const auto& [key, value] : json.items()) {
    const std::string here = format("{}/{}", pointer, key);
    if (json.is_object()) each(here, key, value);
    for_each_entry(value, here, each);
  }
}

// How many lines a value takes in settings_text().
int lines_of(const Json& json) {
  if (!json.is_structured() || json.empty()) return 1;
  int lines = 2;
  for (const Json& value : json) lines += lines_of(value);
  return lines;
}

}  // namespace

Json shown_settings(const Json& written) {
  Json shown = written;
  if (!shown.is_object()) return shown;
  shown.erase("password");
  if (const std::string url = text_at(shown, "url"); !url.empty()) shown["url"] = redact_url(url);
  return shown;
}

std::string settings_tag(const Json& shown) {
  const std::string text = shown.dump(-1, ' ', false, Json::error_handler_t::replace);
  return format("\"{}\"", sha256_hex(std::as_bytes(std::span(text))).substr(0, 32));
}

Json merged_settings(Json asked, const Json& now) {
  const std::string before = text_at(now, "url");
  if (!before.empty() && text_at(asked, "url") == redact_url(before)) asked["url"] = before;
  const bool keeps = !asked.contains("password") && !asked.contains("password_file") && now.is_object() &&
                     now.contains("password");
  if (keeps && same_address(asked, now)) asked["password"] = now["password"];
  return asked;
}

std::vector<HttpProblem> settings_faults(const Json& merged, const Json& now, const HttpHolder& holder) {
  std::vector<HttpProblem> faults;
  const std::string url = text_at(merged, "url");
  const bool from_file = merged.contains("url_file");
  if (!from_file && !is_camera(url) && url != kStreetUrl && (url.empty() || url != text_at(now, "url")))
    faults.push_back({"/url", "url is a camera's address: rtsp(s):// or http(s)://, or street:"});
  // In the service itself a camera's connections are not held to its host.
  const Json process = merged.value("process", Json(true));
  const bool stays = now.is_object() && process == now.value("process", Json(true));
  if (process != true && !stays)
    faults.push_back({"/process", "process: false is for the configuration alone"});
  const bool same = same_address(merged, now);
  for_each_entry(merged, "", [&](const std::string& pointer, const std::string& key, const Json& value) {
    if (std::ranges::find(kFileKeys, key) != std::end(kFileKeys)) {
      std::vector<Json> known;
      collect(now, key, known);
      const bool secret = std::ranges::find(kSecretFiles, key) != std::end(kSecretFiles);
      if (std::ranges::find(known, value) == known.end() || (secret && !same))
        faults.push_back(
            {pointer,
             format("{} names a file of the service's machine, which its configuration alone may", key)});
    }
    if (key == "stream" && value.is_string() && !holder.may_see(value.get<std::string>()))
      faults.push_back({pointer, format("there is no stream '{}'", value.get<std::string>())});
  });
  return faults;
}

std::string settings_text(const Json& settings) {
  return settings.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string pointer_at(const Json& settings, int line) {
  if (!settings.is_structured() || line <= 1) return "";
  int begin = 2;
  for (const auto& [key, value] : settings.items()) {
    const int lines = lines_of(value);
    if (line < begin + lines) return format("/{}{}", key, pointer_at(value, line - begin + 1));
    begin += lines;
  }
  return "";
}

HttpProblem problem_of(const Json& settings, std::string_view line) {
  // The file's name may hold colons: the place is the first ":LINE:COLUMN: ".
  for (std::size_t at = line.find(':'); at != std::string_view::npos; at = line.find(':', at + 1)) {
    int row = 0, column = 0;
    const char *const end = line.data() + line.size(), *next = line.data() + at + 1;
    auto read = std::from_chars(next, end, row);
    if (read.ec != std::errc() || read.ptr == end || *read.ptr != ':') continue;
    read = std::from_chars(read.ptr + 1, end, column);
    if (read.ec != std::errc() || end - read.ptr < 2 || read.ptr[0] != ':' || read.ptr[1] != ' ') continue;
    return {pointer_at(settings, row), std::string(read.ptr + 2, end)};
  }
  return {"", std::string(line)};
}

HttpResponse problems_response(const std::vector<HttpProblem>& problems) {
  std::vector<std::string> messages;
  Json list = Json::array();
  for (const HttpProblem& problem : problems) {
    messages.push_back(problem.message);
    list.push_back({{"pointer", problem.pointer}, {"message", problem.message}});
  }
  HttpResponse response = error_response({.status = 422,
                                          .message = joined(messages, "; "),
                                          .code = "invalid_stream",
                                          .param = problems.empty() ? "" : problems.front().pointer});
  Json body = Json::parse(response.body);
  body["error"]["problems"] = std::move(list);
  response.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  return response;
}

}  // namespace palisade
