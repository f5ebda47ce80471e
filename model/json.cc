#include "model/json.h"

#include <set>
#include <vector>

#include "model/read_file.h"

namespace palisade {
namespace {

constexpr int kMaxDepth = 64;

struct Malformed {
  std::string why;
};

}  // namespace

Json parse_json(std::string_view text, std::string_view what) {
  std::vector<std::set<std::string>> keys_of_open_objects;
  const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > kMaxDepth) throw Malformed{"it is nested more than 64 levels deep"};
    if (event == Json::parse_event_t::object_start) keys_of_open_objects.emplace_back();
    if (event == Json::parse_event_t::object_end) keys_of_open_objects.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto& key = value.get_ref<const std::string&>();
      if (!keys_of_open_objects.back().insert(key).second)
        throw Malformed{"key \"" + key + "\" stands twice"};
    }
    return true;
  };
  try {
    return Json::parse(text, check);
  } catch (const Malformed& malformed) {
    throw ModelError(std::string(what) + ": not usable JSON: " + malformed.why);
  } catch (const Json::exception& error) {
    throw ModelError(std::string(what) + ": not valid JSON: " + error.what());
  }
}

std::string read_text_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const ReadFile file(path);
  if (file.size() > max_bytes) {
    throw ModelError(path.string() + ": " + std::to_string(file.size()) + " bytes are more than the " +
                     std::to_string(max_bytes) + " allowed for such a file");
  }
  std::string text(file.size(), '\0');
  file.read(0, std::as_writable_bytes(std::span(text)));
  file.require_unchanged();
  return text;
}

Json read_json(const std::filesystem::path& path, std::size_t max_bytes) {
  return parse_json(read_text_file(path, max_bytes), path.string());
}

}  // namespace palisade
