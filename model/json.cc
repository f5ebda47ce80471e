#include "model/json.h"

#include <fstream>
#include <set>
#include <vector>

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
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) throw ModelError(path.string() + ": no such file");
  if (!std::filesystem::is_regular_file(status)) throw ModelError(path.string() + ": not a regular file");
  const auto size = std::filesystem::file_size(path, error);
  if (error) throw ModelError(path.string() + ": cannot be read: " + error.message());
  if (size > max_bytes) {
    throw ModelError(path.string() + ": " + std::to_string(size) + " bytes are more than the " +
                     std::to_string(max_bytes) + " allowed for such a file");
  }
  std::ifstream in(path, std::ios::binary);
  std::string text(size, '\0');
  if (!in.read(text.data(), std::streamsize(size))) throw ModelError(path.string() + ": cannot be read");
  return text;
}

Json read_json(const std::filesystem::path& path, std::size_t max_bytes) {
  return parse_json(read_text_file(path, max_bytes), path.string());
}

}  // namespace palisade
