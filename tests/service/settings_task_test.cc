// What a configuration may say of a task beyond its sampling.
#include <doctest/doctest.h>

#include "base/format.h"
#include "service/settings/settings.h"
#include "service/streams/task_groups.h"
#include "tasks/task.h"

using namespace palisade;

namespace {

std::string stream_with(const std::string& tasks, const std::string& before = "") {
  return format("{}streams: [{{name: a, url: /x.mp4, tasks: [{}]}}]\n", before, tasks);
}

std::vector<TaskSettings> tasks_of(const std::string& tasks, const std::string& before = "") {
  return parse_settings(stream_with(tasks, before), "f.yaml").streams.at(0).tasks;
}

std::string only_problem_of(const std::string& tasks) {
  try {
    parse_settings(stream_with(tasks), "f.yaml");
  } catch (const SettingsError& error) {
    REQUIRE(error.problems().size() == 1);
    return error.problems()[0];
  }
  return "";
}

}  // namespace

TEST_CASE("every task of the table can be configured") {
  for (const Task& task : all_tasks()) {
    CAPTURE(task.name);
    const std::string text = task.text_key.empty() ? "" : format(", {}: car", task.text_key);
    const auto tasks = tasks_of(format("{{task: {}{}}}", task.name, text));
    REQUIRE(tasks.size() == 1);
    CHECK(tasks[0].task == &task);
    CHECK(tasks[0].sampling.count == task.frame_counts.front());
    CHECK(tasks[0].max_new_tokens == task.max_new_tokens);
  }
}

TEST_CASE("the longest answer is the task's own, else the engine's, else that of its kind") {
  CHECK(tasks_of("{task: describe}")[0].max_new_tokens == 128);
  CHECK(tasks_of("{task: describe, max_new_tokens: 9}")[0].max_new_tokens == 9);
  CHECK_FALSE(tasks_of("{task: describe}", "engine: {max_new_tokens: 32}\n")[0].max_new_tokens);
  CHECK(tasks_of("{task: describe, max_new_tokens: 9}", "engine: {max_new_tokens: 32}\n")[0].max_new_tokens ==
        9);
}

TEST_CASE("what boxes are divided by and whether they tell their spread is said of what has boxes alone") {
  const auto tasks = tasks_of(
      "{task: detect, objects: car, locations: 1024, spread: true}, {task: question, question: detect car, "
      "spread: true}");
  CHECK(tasks[0].locations.last == 1024);
  CHECK(tasks[0].location_spread);
  CHECK(tasks[1].locations.last == 1023);
  CHECK(tasks[1].location_spread);
  CHECK(only_problem_of("{task: caption, spread: true}").find("spread is of boxes") != std::string::npos);
  CHECK(only_problem_of("{task: question, question: 'why?', locations: 1023}").find("locations is of boxes") !=
        std::string::npos);
  CHECK(only_problem_of("{task: detect, objects: car, locations: 1000}").find("locations is 1023") !=
        std::string::npos);
  CHECK(only_problem_of("{task: detect}").find("objects is missing") != std::string::npos);
  CHECK(only_problem_of("{task: detect, objects: car, frames: 2}").find("a detect sees 1 frame") !=
        std::string::npos);
}

TEST_CASE("a question may name the type of its answer") {
  const auto type_of = [](const std::string& type) {
    return tasks_of("{task: question, question: 'why?', type: " + type + "}")[0].answer_type;
  };
  CHECK(type_of("text").kind == AnswerType::Kind::kText);
  CHECK(type_of("yes_no").kind == AnswerType::Kind::kYesNo);
  CHECK(type_of("count:12").most == 12);
  CHECK(type_of("\"choice:red,blue\"").choices == std::vector<std::string>{"red", "blue"});
  CHECK(type_of("{choice: [red, blue]}") == type_of("\"choice:red,blue\""));
  for (const char* const wrong :
       {"number", "{choice: [red]}", "{choice: [red, Red]}", "{count: 3}", "[red]"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(type_of(wrong), SettingsError);
  }
  CHECK(only_problem_of("{task: caption, type: yes_no}").find("type is of a question") != std::string::npos);
}

TEST_CASE("tasks that are decoded alike share their clips") {
  const auto groups = groups_of(
      tasks_of("{task: cap}, {task: detect, objects: car}, {task: prompt, prompt: caption en}, {task: ocr}"));
  CHECK(groups == std::vector<std::vector<std::size_t>>{{0, 2}, {1, 3}});
}
