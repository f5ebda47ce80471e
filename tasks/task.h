#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/decoding/decoding.h"
#include "tasks/events/answer_event.h"

namespace palisade {

// The wording of a task: the language, and where the task needs one the question or statement, read by
// prompt_of_words().
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
  std::string (*prompt)(const Wording& wording);
  void (*read)(const Answer& answer, AnswerEvent& event);

  bool accepts(int frames) const;
};

std::span<const Task> all_tasks();
const Task* find_task(std::string_view name);  // nullptr when there is none

// Why a wording is invalid for a task, or nothing.
std::optional<std::string> wording_fault(const Task& task, const Wording& wording);

}  // namespace palisade
