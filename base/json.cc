#include "base/json.h"

#include <array>
#include <set>
#include <span>
#include <vector>

#include "base/format.h"
#include "base/input_file.h"
#include "base/read_file.h"

namespace palisade {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxShown = 64;  // bytes of a key that a message shows

struct MalformedJson {
  std::string why;
};

// The library's message without its quotation of the text, which may contain secrets.
std::string unquoted(std::string_view message) {
  return std::string(message.substr(0, message.find("; last read: ")));
}

}  // namespace

Json parse_json(std::string_view text, std::string_view what) {
  std::vector<std::set<std::string>> keys_of_open_objects;
  const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > kMaxDepth) throw MalformedJson{"it is nested more than 64 levels deep"};
    if (event == Json::parse_event_t::object_start) keys_of_open_objects.emplace_back();
    if (event == Json::parse_event_t::object_end) keys_of_open_objects.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto& key = value.get_ref<const std::string&>();
      if (!keys_of_open_objects.back().insert(key).second)
        throw MalformedJson{"key \"" + key.substr(0, kMaxShown) + "\" stands twice"};
    }
    return true;
  };
  try {
    return Json::parse(text, check);
  } catch (const MalformedJson& malformed) {
    throw Error(std::string(what) + ": not usable JSON: " + malformed.why);
  } catch (const Json::exception& error) {
    throw Error(std::string(what) + ": not valid JSON: " + unquoted(error.what()));
  }
}

std::string read_text_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const ReadFile file(path);
  const auto require_fit = [&](std::size_t size) {
    if (size <= max_bytes) return;
    throw Error(
        format("{}: {} bytes are more than the {} allowed for such a file", path.string(), size, max_bytes));
  };
  require_fit(file.size());
  std::string text(file.size(), '\0');
  file.read(0, std::as_writable_bytes(std::span(text)));
  file.require_unchanged();
  if (!text.empty()) return text;
  // Files under /proc and the like report size 0 and still have contents.
  InputFile made_up(path);
  std::array<char, 4096> part;
  while (const std::size_t size = made_up.read(part)) {
    text.append(part.data(), size);
    require_fit(text.size());
  }
  return text;
}

Json read_json(const std::filesystem::path& path, std::size_t max_bytes) {
  return parse_json(read_text_file(path, max_bytes), path.string());
}

}  // namespace palisade
