#include "examples/demo/account.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/format.h"

using palisade::format;
using namespace palisade::world;

namespace {

constexpr double kStart = 1'790'000'000;

// A truth file with one red car, which crosses to the right from second 10 to 15.
struct OneCar {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / format("palisade_account_{}.jsonl", getpid());
  OneCar() {
    Object car;
    car.width = 156;
    car.height = 66;
    car.baseline = 250;
    car.knots = {{10, -160}, {15, 644}};
    TruthWriter writer(path);
    writer.scene("street0", kStart, Look{});
    writer.object("street0", kStart, car);
  }
  ~OneCar() { std::filesystem::remove(path); }
};

std::string iso(double wall) {
  const long milliseconds = std::lround(wall * 1000);
  const std::time_t second = milliseconds / 1000;
  std::tm parts{};
  gmtime_r(&second, &parts);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string fraction = std::to_string(milliseconds % 1000);
  fraction.insert(0, 3 - fraction.size(), '0');
  return std::string(text.data(), length) + "." + fraction + "Z";
}

nlohmann::json event(double from, const std::string& text) {
  nlohmann::json frames = nlohmann::json::array();
  for (int i = 0; i < 16; ++i)
    frames.push_back({{"stream", "street0"}, {"time", iso(from + i * 4 / 15.0)}, {"time_source", "rtcp"}});
  return {{"subject", "street0"}, {"data", {{"text", text}, {"frames", frames}}}};
}

}  // namespace

TEST_CASE("a caption is judged by the times that its own event states") {
  const OneCar truth;
  Account account(truth.path);
  const std::string said = "a red car enters from the left";
  const Judgement right = account.judge(event(kStart + 8.5, said));
  CHECK(right.exact);
  CHECK(right.by_sender);
  const Judgement wrong = account.judge(event(kStart + 11.5, said));  // the same words, another time
  CHECK_FALSE(wrong.exact);
  CHECK(wrong.truth == "a red car leaves to the right");
  CHECK(wrong.difference.wrong == std::vector<std::string>{said});
  CHECK(wrong.difference.missed == std::vector<std::string>{"a red car leaves to the right"});
  CHECK(account.score().exact == 1);
  CHECK(account.score().objects.f1() == 1);
  CHECK(account.score().clauses.f1() == doctest::Approx(0.5));
}

TEST_CASE("a window that the truth does not reach is in no score") {
  const OneCar truth;
  Account account(truth.path);
  CHECK_FALSE(account.judge(event(kStart - 1, "an empty street")).truth.has_value());
  nlohmann::json elsewhere = event(kStart + 1, "an empty street");
  elsewhere["subject"] = "street9";
  CHECK_FALSE(account.judge(elsewhere).truth.has_value());
  CHECK(account.unjudged() == 2);
  CHECK(account.score().captions == 0);
}

TEST_CASE("an event's times are read to the millisecond, and nothing else is taken for a time") {
  CHECK(std::abs(seconds_of("2026-11-23T09:05:24.123Z") - 1795424724.123) < 1e-6);
  CHECK(seconds_of("1970-01-01T00:00:01Z") == 1);
  CHECK_THROWS(seconds_of("yesterday"));
  CHECK_THROWS(seconds_of("2026-11-23T09:05:24.123"));
}
