#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/decoding/decoding.h"
#include "tasks/events/answer_event.h"

namespace palisade {

// How one stream's task is worded: the language of the answer and, for tasks that need one, the question or
// statement, read by prompt_of_words().
struct Wording {
  std::string language = "en";
  std::string text;

  bool operator==(const Wording&) const = default;
};

// A kind of question to the model: clip and wording to prompt, answer to fields of an event. Stateless; all
// of them stand in one table. `text_key` is the setting that words it ("question"), empty where nothing is
// asked.
struct Task {
  std::string_view name;
  std::string_view text_key;
  std::span<const int> frame_counts;  // how many frames its clip may have; the first is the default
  std::string (*prompt)(const Wording& wording);
  void (*read)(const Answer& answer, AnswerEvent& event);

  bool accepts(int frames) const;
};

std::span<const Task> all_tasks();
const Task* find_task(std::string_view name);  // nullptr when there is none

// What is wrong with a wording for a task, or nothing.
std::optional<std::string> wording_fault(const Task& task, const Wording& wording);

}  // namespace palisade
