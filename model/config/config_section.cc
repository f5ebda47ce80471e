#include "model/config/config_section.h"

#include <cmath>

#include "base/format.h"
#include "model/error.h"

namespace palisade {

ConfigSection::ConfigSection(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
  if (!json_.is_object()) throw ModelError(where_ + ": expected an object");
}

int ConfigSection::integer(const char* key, int fallback, int least, int most) const {
  const Json* value = find(key);
  if (!value) return fallback;
  if (!value->is_number_integer()) fail(key, "expected a whole number");
  const auto number = value->get<std::int64_t>();
  const bool wrapped = value->is_number_unsigned() && value->get<std::uint64_t>() > std::uint64_t(INT64_MAX);
  if (wrapped || number < least || number > most) {
    fail(key, format("expected {} to {}", least, most));
  }
  return int(number);
}

int ConfigSection::required(const char* key, int least, int most) const {
  if (!find(key)) fail(key, "is missing");
  return integer(key, 0, least, most);
}

float ConfigSection::positive(const char* key, float fallback) const {
  const Json* value = find(key);
  if (!value) return fallback;
  if (!value->is_number()) fail(key, "expected a number");
  const double number = value->get<double>();
  if (!(number > 0) || !std::isfinite(number)) fail(key, "expected a number above 0");
  return float(number);
}

std::string ConfigSection::text(const char* key, const std::string& fallback) const {
  const Json* value = find(key);
  if (!value) return fallback;
  if (!value->is_string()) fail(key, "expected a string");
  return value->get<std::string>();
}

bool ConfigSection::boolean(const char* key, bool fallback) const {
  const Json* value = find(key);
  if (!value) return fallback;
  if (!value->is_boolean()) fail(key, "expected true or false");
  return value->get<bool>();
}

ConfigSection ConfigSection::section(const char* key) const {
  if (!find(key)) fail(key, "is missing");
  return ConfigSection(json_.at(key), where_ + ": " + key);
}

const Json* ConfigSection::find(const char* key) const {
  const auto found = json_.find(key);
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

void ConfigSection::fail(const char* key, const std::string& why) const {
  throw ModelError(where_ + ": \"" + key + "\" " + why);
}

}  // namespace palisade
