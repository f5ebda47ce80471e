#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/decoding/decoding.h"
#include "tasks/events/answer_event.h"
#include "tasks/prompt.h"
#include "tasks/reading.h"

namespace palisade {

// The wording of a task: the language, and where the task needs one its text: a question, a statement, what
// to detect, or a whole prompt.
struct Wording {
  std::string language = "en";
  std::string text;

  bool operator==(const Wording&) const = default;
};

// A kind of task: makes a prompt of a wording, and event fields of an answer. Stateless; all tasks are in one
// table. `text_key` is the setting for its text ("question"), empty where it has none.
struct Task {
  std::string_view name;
  std::string_view text_key;
  std::span<const int> frame_counts;  // allowed numbers of frames; the first is the default
  int max_new_tokens;                 // longest answer where nothing else is said
  // As tasks/prompt.h reads it; its fault is of the text.
  PlainText (*prompt_of)(const Wording& wording);
  // The event's prompt and task are filled in already.
  void (*read)(const Answer& answer, const Reading& reading, AnswerEvent& event);

  bool accepts(int frames) const;
  // Of a wording without a fault.
  std::string prompt(const Wording& wording) const { return prompt_of(wording).text; }
};

std::span<const Task> all_tasks();
const Task* find_task(std::string_view name);  // nullptr when there is none

// Why a wording is invalid for a task, or nothing.
std::optional<std::string> wording_fault(const Task& task, const Wording& wording);

}  // namespace palisade
