#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "model/config/config_keys.h"

namespace palisade {

// Widths above this are no model's.
inline constexpr int kMaxConfigWidth = 1 << 17;

// One JSON object of a configuration, with errors that name file and key. The JSON must outlive it.
class ConfigSection {
 public:
  // Throws Error beginning with `where` unless `json` is an object.
  ConfigSection(const Json& json, std::string where);

  // Null is absent, as transformers treats it: the fallback.
  int integer(const char* key, int fallback, int least, int most) const;
  int required(const char* key, int least, int most) const;
  float positive(const char* key, float fallback) const;
  std::string text(const char* key, const std::string& fallback) const;
  bool boolean(const char* key, bool fallback) const;
  ConfigSection section(const char* key) const;

  bool is_null(const char* key) const { return json_.contains(key) && json_.at(key).is_null(); }
  const Json* find(const char* key) const;
  // Throws Error where one of its keys is refused (see config_keys.h).
  void refuse(ConfigPlace place) const { refuse_keys(place, json_, where_); }
  [[noreturn]] void fail(const char* key, const std::string& why) const;

 private:
  const Json& json_;
  std::string where_;
};

}  // namespace palisade
