#include "tasks/task.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace palisade;

TEST_CASE("a caption's prompt names its language") {
  CHECK(find_task("caption")->prompt({.language = "de"}) == "caption de");
}

TEST_CASE("a question and a statement are asked with the same prefix") {
  CHECK(find_task("question")->prompt({.text = "what moves?"}) == "answer en what moves?");
  CHECK(find_task("pair")->prompt({.text = "both images contain a dog"}) ==
        "answer en both images contain a dog");
}

TEST_CASE("a pair sees two frames, a caption and a question one, two or sixteen") {
  CHECK(find_task("pair")->accepts(2));
  CHECK_FALSE(find_task("pair")->accepts(16));
  for (const char* const name : {"caption", "question"}) {
    for (const int frames : {1, 2, 16}) CHECK(find_task(name)->accepts(frames));
    CHECK_FALSE(find_task(name)->accepts(3));
  }
}

TEST_CASE("every task has its prompt, its frames and its longest answer") {
  struct Expected {
    const char* task;
    const char* prompt;
    int frames;
    int longest;
  };
  for (const auto& [name, prompt, frames, longest] : {
           Expected{"caption", "caption pt", 16, 64},
           {"cap", "cap pt", 1, 64},
           {"describe", "describe pt", 1, 128},
           {"ocr", "ocr", 1, 128},
           {"question", "answer pt Car ; dog", 16, 64},
           {"pair", "answer pt Car ; dog", 2, 64},
           {"video_caption", "caption pt", 16, 64},
           {"video_question", "answer pt Car ; dog", 16, 64},
           {"detect", "detect Car ; dog", 1, 128},
           {"segment", "segment Car ; dog", 1, 256},
           {"prompt", "Car ; dog", 1, 64},
       }) {
    CAPTURE(name);
    const Task* const task = find_task(name);
    REQUIRE(task);
    CHECK(task->prompt({.language = "pt", .text = " Car ; dog\n"}) == prompt);
    CHECK(task->frame_counts.front() == frames);
    CHECK(task->max_new_tokens == longest);
  }
  CHECK(find_task("video_caption")->accepts(8));
  CHECK_FALSE(find_task("detect")->accepts(2));
}

TEST_CASE("what to detect may begin with the word itself, in any case") {
  CHECK(find_task("detect")->prompt({.text = "Detect car"}) == "detect car");
  CHECK(find_task("segment")->prompt({.text = "segment  car"}) == "segment  car");
  CHECK(find_task("detect")->prompt({.text = "segment"}) == "detect segment");
  CHECK(find_task("prompt")->prompt({.text = "Detect car"}) == "detect car");
}

TEST_CASE("an unknown task is not found") {
  CHECK(find_task("capton") == nullptr);
}

TEST_CASE("a wording that cannot be asked is refused with the key it stands under") {
  const Task& question = *find_task("question");
  CHECK_FALSE(wording_fault(question, {.text = "what moves?"}));
  CHECK(wording_fault(question, {})->starts_with("question"));
  CHECK(wording_fault(question, {.text = " \n"})->starts_with("question is blank"));
  CHECK(wording_fault(question, {.text = "what is <image>?"})->find("<image>") != std::string::npos);
  CHECK(wording_fault(question, {.language = "EN!", .text = "x"})->starts_with("language"));
  CHECK_FALSE(wording_fault(*find_task("caption"), {}));
}

TEST_CASE(
    "a pair's event has true and false, a question's yes and no where one of them is likely the answer") {
  const auto choices = [](const char* task, const Answer& answer) {
    AnswerEvent event;
    event.prompt = "answer en x";
    find_task(task)->read(answer, {.clip = {}}, event);
    return event.choices;
  };
  const Answer unlikely{.text = "red",
                        .yes_no = {.affirmative = 0.3, .negative = 0.1},
                        .true_false = {.affirmative = 1e-6, .negative = 3e-6}};
  CHECK(choices("question", unlikely).empty());
  CHECK(choices("caption", unlikely).empty());
  REQUIRE(choices("pair", unlikely).size() == 2);
  CHECK(choices("pair", unlikely)[0].text == "true");
  CHECK(choices("pair", unlikely)[0].p == doctest::Approx(0.25));
  CHECK(choices("pair", unlikely)[1].p == doctest::Approx(0.75));
  CHECK_FALSE(choices("pair", unlikely)[0].logprob);
  const Answer likely{.text = "no", .yes_no = {.affirmative = 0.2, .negative = 0.6}};
  REQUIRE(choices("question", likely).size() == 2);
  CHECK(choices("question", likely)[1].text == "no");
  CHECK(choices("question", likely)[1].p == doctest::Approx(0.75));
  CHECK(choices("pair", likely).empty());  // nothing was said of true and false
  // A statement about two pictures, asked with the words of a question.
  const Answer statement{.text = "true", .true_false = {.affirmative = 0.6, .negative = 0.2}};
  REQUIRE(choices("question", statement).size() == 2);
  CHECK(choices("question", statement)[0].text == "true");
  CHECK(choices("question", statement)[0].p == doctest::Approx(0.75));
}

TEST_CASE("choices that were given stand in the event, with their log-probabilities and nothing else") {
  for (const char* const task : {"caption", "question", "pair"}) {
    AnswerEvent event;
    find_task(task)->read(
        {.text = "b",
         .yes_no = {.affirmative = 0.9, .negative = 0.1},
         .true_false = {.affirmative = 0.9, .negative = 0.1},
         .choices = {{.text = "a", .logprob = -2, .p = 0.2}, {.text = "b", .logprob = -1, .p = 0.8}}},
        {.clip = {}}, event);
    REQUIRE(event.choices.size() == 2);
    CHECK(event.choices[1].text == "b");
    CHECK(event.choices[1].p == 0.8);
    CHECK(event.choices[1].logprob == -1);
  }
}
