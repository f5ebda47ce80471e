#include "examples/world/questions.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "base/format.h"
#include "examples/world/caption.h"
#include "examples/world/scenes.h"
#include "tests/examples/golden_world.h"

using palisade::format;
using namespace palisade::world;

namespace {

using QuestionList = std::vector<Question>;

// Every question that can be asked about a scene, with its answer. Each is drawn with new counts, so that
// none is left out for balance.
std::map<std::string, std::string> all_asked(const std::function<QuestionList(Questions&, Random&)>& ask) {
  std::map<std::string, std::string> all;
  int twice = 0;
  int contradictions = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    Questions questions;
    Random random(seed);
    std::set<std::string> of_this;
    for (const Question& question : ask(questions, random)) {
      if (!of_this.insert(question.prefix).second) ++twice;
      const auto [known, is_new] = all.emplace(question.prefix, question.suffix);
      if (known->second != question.suffix) ++contradictions;
    }
  }
  CHECK(twice == 0);
  CHECK(contradictions == 0);
  return all;
}

int checked(const nlohmann::json& scene, const std::map<std::string, std::string>& asked) {
  for (const auto& question : scene["questions"]) {
    CAPTURE(question.dump());
    const auto ours = asked.find(question["prompt"]);
    REQUIRE(ours != asked.end());
    CHECK(ours->second == question["truth"]);
  }
  return static_cast<int>(scene["questions"].size());
}

// The samples' pairs do not contain the objects' positions.
std::vector<Object> in_view(const nlohmann::json& list) {
  std::vector<Object> objects = objects_of(list);
  for (Object& object : objects) object.knots = {{0, 100}};
  return objects;
}

// How often each answer was given, by form of question without names.
using TimesGiven = std::map<std::string, std::map<std::string, int>>;
void enter(TimesGiven& account, const QuestionList& asked, const std::vector<std::string>& wordings) {
  for (const Question& question : asked) {
    for (const std::string& wording : wordings) {
      if (question.prefix.find(wording) != std::string::npos) ++account[wording][question.suffix];
    }
  }
}

void check_balance(const TimesGiven& account, const std::vector<std::string>& answers, double tolerance) {
  for (const auto& [wording, given] : account) {
    std::string text;
    int total = 0;
    for (const auto& [answer, times] : given) {
      text += format(" {} {}", answer, times);
      total += times;
    }
    MESSAGE(wording << ":" << text);
    for (const std::string& answer : answers) {
      CAPTURE(answer);
      REQUIRE(given.count(answer) == 1);
      CHECK(std::abs(given.at(answer) * static_cast<double>(answers.size()) / total - 1) < tolerance);
    }
  }
}

}  // namespace

TEST_CASE("every prompt of the sample stills is asked, and with the truth that they state") {
  int count = 0;
  for (const auto& still : golden("stills.json")) {
    const std::vector<Object> objects = objects_of(still["objects"]);
    count += checked(still, all_asked([&](Questions& questions, Random& random) {
                       return questions.of_still(objects, 40, random);
                     }));
  }
  CHECK(count == 90);
}

TEST_CASE("every prompt of the sample pairs is asked, and with the truth that they state") {
  int count = 0;
  for (const auto& pair : golden("pairs.json")) {
    const std::vector<Object> left = in_view(pair["left"]);
    const std::vector<Object> right = in_view(pair["right"]);
    count += checked(pair, all_asked([&](Questions& questions, Random& random) {
                       return questions.of_pair(left, right, 60, random);
                     }));
  }
  CHECK(count == 56);
}

TEST_CASE("every prompt of the sample windows is asked, and with the truth that they state") {
  int count = 0;
  for (const auto& clip : golden_clips()) {
    const std::vector<Object> objects = objects_of(clip["objects"]);
    for (const auto& window : clip["windows"]) {
      std::vector<double> times;
      for (const int frame : window["frames"]) times.push_back(frame / clip["fps"].get<double>());
      count += checked(window, all_asked([&](Questions& questions, Random& random) {
                         return questions.of_window(objects, times, 12, random);
                       }));
    }
  }
  CHECK(count == 181);
}

TEST_CASE("stills are asked about in the demo world's mix, yes as often as no") {
  Random random(3);
  Questions questions;
  TimesGiven account;
  int asked = 0;
  for (int i = 0; i < 3000; ++i) {
    const QuestionList of_this = questions.of_still(training_still(random), 7, random);
    CHECK(of_this.front().prefix == "caption en");
    asked += static_cast<int>(of_this.size());
    enter(account, of_this, {"is there a", "how many", "what colour", "detect"});
  }
  CHECK(asked > 3000 * 6.9);
  std::map<std::string, int> absent;
  int detections = 0;
  for (const auto& [answer, times] : account["detect"]) detections += times;
  const double share = account["detect"][""] / double(detections);
  MESSAGE(asked << " questions; detections " << detections << ", absent " << share);
  CHECK(std::abs(share - 0.12) < 0.01);
  for (const char* answer : {"zero", "one", "two", "three", "four"})
    MESSAGE("how many: " << std::string(answer) << " " << account["how many"][answer]);
  account.erase("detect");
  account.erase("how many");
  check_balance({{"what colour", account["what colour"]}},
                {"red", "green", "blue", "yellow", "white", "black"}, 0.1);
  check_balance({{"is there a", account["is there a"]}}, {"yes", "no"}, 0.02);
}

TEST_CASE("statements about pairs are true as often as false") {
  Random random(4);
  Questions questions;
  TimesGiven account;
  int asked = 0;
  for (int i = 0; i < 3000; ++i) {
    const StillPair pair = training_pair(random);
    const QuestionList of_this = questions.of_pair(pair.left, pair.right, 7, random);
    asked += static_cast<int>(of_this.size());
    enter(account, of_this,
          {"exactly one", "exactly two", "exactly three", "exactly four", "left image has more",
           "right image has more", "both images", "left image contains", "right image contains"});
  }
  MESSAGE(asked << " questions of 3000 pairs");
  check_balance(account, {"true", "false"}, 0.08);
}

TEST_CASE("windows are asked what they show, every answer as often as another") {
  Random random(5);
  Questions questions;
  TimesGiven account;
  int asked = 0;
  for (int i = 0; i < 3000; ++i) {
    const StreetWindow window = training_window(random, 16);
    const QuestionList of_this = questions.of_window(window.objects, window.times, 5, random);
    CHECK(of_this.front().prefix == "caption en");
    asked += static_cast<int>(of_this.size());
    enter(account, of_this, {"which way", "anything enter", "anything leave"});
  }
  MESSAGE(asked << " questions of 3000 windows");
  check_balance({{"which way", account["which way"]}}, {"to the right", "to the left", "it stays"}, 0.02);
  account.erase("which way");
  check_balance(account, {"yes", "no"}, 0.02);
}
