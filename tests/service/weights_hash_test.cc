#include "model/weights/weights_hash.h"

#include <doctest/doctest.h>

#include "service/settings/settings.h"

using namespace palisade;

namespace {

const std::string kDigits(62, 'a');

std::string settings_error(const std::string& text) {
  try {
    parse_settings(text, "f.yaml");
  } catch (const SettingsError& error) {
    std::string all;
    for (const std::string& problem : error.problems()) all += problem + "\n";
    return all;
  }
  return "";
}

}  // namespace

TEST_CASE("weights are pinned by 64 hex digits, in either case of letters") {
  CHECK(pinned_sha256(kDigits + "Ff") == kDigits + "ff");
  for (const std::string& wrong : {std::string(), kDigits, kDigits + "fg", kDigits + "fff"})
    CHECK(!pinned_sha256(wrong));
}

TEST_CASE("a configuration's pin is checked where it stands, and a reload cannot change it") {
  const std::string streams = "streams:\n  - {name: a, url: a.mp4, tasks: [{task: caption}]}\n";
  const Settings plain = parse_settings(streams, "f.yaml");
  const Settings pinned = parse_settings("model_sha256: " + kDigits + "Ff\n" + streams, "f.yaml");
  CHECK(pinned.model_sha256 == kDigits + "ff");
  CHECK(needs_restart(plain, pinned) == "model_sha256");
  CHECK(settings_error("model_sha256: abc\n" + streams).find("64 hex digits") != std::string::npos);
}
