#include "examples/world/score.h"

#include <doctest/doctest.h>

#include "examples/world/caption.h"
#include "tests/examples/golden_world.h"

using namespace palisade::world;

TEST_CASE("a caption read back names the clauses and the things that it was made of") {
  const std::string caption = "two red cars, a blue dog and three black people";
  CHECK(clauses_in(caption) == std::vector<std::string>{"two red cars", "a blue dog", "three black people"});
  CHECK(things_in(caption) == std::vector<Thing>{{Kind::kCar, Colour::kRed},
                                                 {Kind::kCar, Colour::kRed},
                                                 {Kind::kDog, Colour::kBlue},
                                                 {Kind::kPerson, Colour::kBlack},
                                                 {Kind::kPerson, Colour::kBlack},
                                                 {Kind::kPerson, Colour::kBlack}});
  CHECK(clauses_in(kEmptyStreet).empty());
  for (const auto& clip : golden_clips()) {
    for (const auto& window : clip["windows"]) {
      const std::string truth = window["questions"][0]["truth"];
      std::string again;
      const std::vector<std::string> clauses = clauses_in(truth);
      for (std::size_t i = 0; i < clauses.size(); ++i)
        again += (i == 0 ? "" : i + 1 == clauses.size() ? " and " : ", ") + clauses[i];
      CHECK((again.empty() ? std::string(kEmptyStreet) : again) == truth);
    }
  }
}

TEST_CASE("words that name nothing in the world score nothing and break nothing") {
  CHECK(things_in("a purple cow flies, , and and a red").empty());
  Score score;
  score.add("a purple cow", kEmptyStreet);
  CHECK(score.exact == 0);
  CHECK(score.clauses.f1() == 0);
  CHECK(score.objects.f1() == 1);  // nothing that can be there was named, and nothing was there
}

TEST_CASE("scores count each thing as often as it is named") {
  Score score;
  score.add("a red car drives from left to right and a blue dog stays",
            "a red car enters from the left and a blue dog stays");
  CHECK(score.exact_share() == 0);
  CHECK(score.objects.f1() == 1);
  CHECK(score.clauses.f1() == doctest::Approx(0.5));
  score.add("two red cars", "a red car");
  CHECK(score.objects.said == 4);
  CHECK(score.objects.really == 3);
  CHECK(score.objects.both == 3);
  score.add(" An empty street ", "an empty street");
  CHECK(score.exact == 1);
  score.add("a red truck stays", "a blue truck stays");
  CHECK(score.objects.both == 3);
  CHECK(score.kinds.both == 4);
  CHECK(score.colours.both == 3);
}

TEST_CASE("a difference names what was said wrongly and what was missed") {
  const Difference found =
      difference("a red car stays and a blue dog stays", "a red car stays and a red dog stays");
  CHECK(found.wrong == std::vector<std::string>{"a blue dog stays"});
  CHECK(found.missed == std::vector<std::string>{"a red dog stays"});
}

TEST_CASE("the delivered model's own answers to the sample windows score as its description says") {
  Score score;
  for (const auto& clip : golden_clips()) {
    for (const auto& window : clip["windows"])
      score.add(window["questions"][0]["answer"].get<std::string>(),
                window["questions"][0]["truth"].get<std::string>());
  }
  MESSAGE("object F1 " << score.objects.f1() << ", clause F1 " << score.clauses.f1() << ", exact "
                       << score.exact << " of " << score.captions);
  CHECK(score.exact == 7);
  CHECK(score.captions == 28);
  CHECK(score.objects.f1() > 0.9);
}
