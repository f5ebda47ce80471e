#include "service/settings/prune.h"

#include <charconv>

#include "base/format.h"

namespace palisade {
namespace {

constexpr std::string_view kStatic = "static";

}  // namespace

bool read_prune(std::string_view text, Prune& prune) {
  if (text == "off" || text == kStatic) {
    prune = text == kStatic ? Prune(kStaticThreshold) : std::nullopt;
    return true;
  }
  if (!text.starts_with(kStatic) || text.substr(kStatic.size(), 1) != ":") return false;
  const std::string_view number = text.substr(kStatic.size() + 1);
  double threshold = 0;
  const auto [end, error] =
      std::from_chars(number.begin(), number.end(), threshold, std::chars_format::fixed);
  if (error != std::errc() || end != number.end() || !(threshold >= 0.5 && threshold <= 0.9999)) return false;
  prune = threshold;
  return true;
}

std::string prune_text(const Prune& prune) {
  return prune ? format("static:{:g}", *prune) : "";
}

}  // namespace palisade
