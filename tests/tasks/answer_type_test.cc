#include "tasks/answer_type.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "tasks/task.h"

using namespace palisade;

namespace {

SpelledChoices choices_of(const char* type) {
  return std::get<SpelledChoices>(method_of(answer_type_of(type).value()));
}

}  // namespace

TEST_CASE("yes and no are spelt in three cases") {
  const SpelledChoices choices = choices_of("yes_no");
  REQUIRE(choices.choices.size() == 2);
  CHECK(choices.choices[0].text == "yes");
  CHECK(choices.choices[0].spellings == std::vector<std::string>{"yes", "Yes", "YES"});
  CHECK(choices.choices[1].spellings == std::vector<std::string>{"no", "No", "NO"});
}

TEST_CASE("a count is spelt by its word and its digits") {
  const SpelledChoices choices = choices_of("count:12");
  REQUIRE(choices.choices.size() == 13);
  CHECK(choices.choices[0].spellings == std::vector<std::string>{"zero", "Zero", "ZERO", "0"});
  CHECK(choices.choices[12].text == "12");
  CHECK(choices.choices[12].spellings == std::vector<std::string>{"twelve", "Twelve", "TWELVE", "12"});
  CHECK(choices_of("count").choices.size() == 10);
}

TEST_CASE("a choice is spelt as it is written and in three cases") {
  const SpelledChoices choices = choices_of("choice: Red Car,blue");
  REQUIRE(choices.choices.size() == 2);
  CHECK(choices.choices[0].text == "Red Car");
  CHECK(choices.choices[0].spellings == std::vector<std::string>{"Red Car", "red car", "Red car", "RED CAR"});
}

TEST_CASE("a type that is none is not known, and one that cannot be asked is refused") {
  for (const char* const text :
       {"", "yes", "count:", "count:0", "count:21", "count:-1", "count:3x", "choice"})
    CHECK_FALSE(answer_type_of(text));
  CHECK_FALSE(fault_of(*answer_type_of("text")));
  CHECK_FALSE(fault_of(*answer_type_of("choice:red,blue")));
  for (const char* const text :
       {"choice:red", "choice:red,Red", "choice:red,", "choice:red,<eos>", "choice:"})
    CHECK(fault_of(*answer_type_of(text)));
}

TEST_CASE("an event tells the type and the value, and has all choices") {
  const Clip clip;
  const auto value = [&](const char* written, const char* text) {
    const AnswerType type = answer_type_of(written).value();
    AnswerEvent event{.prompt = "answer en x?"};
    find_task("question")
        ->read({.text = text, .choices = {{.text = "a", .p = 1}}}, {.clip = clip, .type = &type}, event);
    CHECK(event.answer_type == name_of(type.kind));
    CHECK(event.choices.size() == 1);
    return event.value;
  };
  CHECK(value("yes_no", "yes") == Json(true));
  CHECK(value("yes_no", "no") == Json(false));
  CHECK(value("count:9", "7") == Json(7));
  CHECK(value("choice:red,blue", "blue") == Json("blue"));
  AnswerEvent event{.prompt = "answer en x?"};
  const AnswerType text;
  find_task("question")->read({.text = "7"}, {.clip = clip, .type = &text}, event);
  CHECK(event.answer_type.empty());
}

TEST_CASE("an event's type is read back") {
  for (const char* const written : {"yes_no", "count:7", "choice:red,blue"}) {
    const AnswerType type = *answer_type_of(written);
    Json choices = Json::array();
    for (const SpelledChoice& choice : choices_of(written).choices)
      choices.push_back({{"text", choice.text}});
    CHECK(answer_type_of_event(std::string(name_of(type.kind)), choices).kind == type.kind);
    CHECK(choices_of(written).choices.size() ==
          std::get<SpelledChoices>(method_of(answer_type_of_event(std::string(name_of(type.kind)), choices)))
              .choices.size());
  }
  CHECK_THROWS_AS(answer_type_of_event("magic", Json::array()), Error);
  CHECK_THROWS_AS(answer_type_of_event("count", Json::array()), Error);
}
