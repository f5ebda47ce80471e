#include "tasks/task.h"

#include <algorithm>
#include <array>

#include "base/format.h"

namespace palisade {
namespace {

// Stills, pairs and windows.
constexpr std::array kWindowFirst = {16, 1, 2};
constexpr std::array kVideoFrames = {16, 8};  // as the published video transfers have them
constexpr std::array kOneFrame = {1};
constexpr std::array kPairFrames = {2};
constexpr std::array kAnyFrames = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

PlainText caption_prompt(const Wording& wording) {
  return {format("caption {}", wording.language), {}};
}

PlainText cap_prompt(const Wording& wording) {
  return {format("cap {}", wording.language), {}};
}

PlainText describe_prompt(const Wording& wording) {
  return {format("describe {}", wording.language), {}};
}

PlainText ocr_prompt(const Wording&) {
  return {"ocr", {}};
}

// NLVR2 asks whether a statement holds with the same prefix as a question.
PlainText answer_prompt(const Wording& wording) {
  return prompt_of_words(wording.text, wording.language);
}

PlainText detect_prompt(const Wording& wording) {
  return prompt_after("detect", wording.text);
}

PlainText segment_prompt(const Wording& wording) {
  return prompt_after("segment", wording.text);
}

PlainText verbatim_prompt(const Wording& wording) {
  return whole_prompt(wording.text);
}

void read_words(const Answer& answer, const Reading&, AnswerEvent& event) {
  read_text(answer, event);
}

// Both sides of a verdict, where no choices were given and the first token gave the sides at least something.
void read_verdict(const Verdict& verdict, std::string_view affirmative, std::string_view negative,
                  AnswerEvent& event) {
  if (!event.choices.empty() || !(verdict.mass() > 0)) return;
  event.choices = {{.text = std::string(affirmative), .p = verdict.p_affirmative(), .logprob = {}},
                   {.text = std::string(negative), .p = verdict.p_negative(), .logprob = {}}};
}

// A whole prompt is read as its first word says. A statement about two pictures is true or false; of a
// question that asks for anything else the two would say nothing.
void read_by_prompt(const Answer& answer, const Reading& reading, AnswerEvent& event) {
  const std::string_view task = task_of_prompt(event.prompt);
  if (reading.type && reading.type->kind != AnswerType::Kind::kText && !answer.choices.empty()) {
    read_text(answer, event);
    event.answer_type = name_of(reading.type->kind);
    event.value = value_of(*reading.type, answer.text);
    return;
  }
  if (task == "detect" || task == "segment") return read_boxes(answer, reading, event);
  read_text(answer, event);
  if (task != "question") return;
  if (answer.yes_no.mass() > 0.5) read_verdict(answer.yes_no, "yes", "no", event);
  if (answer.true_false.mass() > 0.5) read_verdict(answer.true_false, "true", "false", event);
}

// NLVR2's labels.
void read_pair(const Answer& answer, const Reading&, AnswerEvent& event) {
  read_text(answer, event);
  read_verdict(answer.true_false, "true", "false", event);
}

constexpr Task kTasks[] = {
    {"caption", "", kWindowFirst, 64, caption_prompt, read_words},
    {"cap", "", kOneFrame, 64, cap_prompt, read_words},
    {"describe", "", kOneFrame, 128, describe_prompt, read_words},
    {"ocr", "", kOneFrame, 128, ocr_prompt, read_words},
    {"question", "question", kWindowFirst, 64, answer_prompt, read_by_prompt},
    {"pair", "statement", kPairFrames, 64, answer_prompt, read_pair},
    {"video_caption", "", kVideoFrames, 64, caption_prompt, read_words},
    {"video_question", "question", kVideoFrames, 64, answer_prompt, read_by_prompt},
    {"detect", "objects", kOneFrame, 128, detect_prompt, read_boxes},
    {"segment", "objects", kOneFrame, 256, segment_prompt, read_boxes},
    {"prompt", "prompt", kAnyFrames, 64, verbatim_prompt, read_by_prompt},
};

}  // namespace

bool Task::accepts(int frames) const {
  return std::ranges::find(frame_counts, frames) != frame_counts.end();
}

std::span<const Task> all_tasks() {
  return kTasks;
}

const Task* find_task(std::string_view name) {
  const auto found = std::ranges::find(kTasks, name, &Task::name);
  return found == std::end(kTasks) ? nullptr : &*found;
}

std::optional<std::string> wording_fault(const Task& task, const Wording& wording) {
  if (!is_language(wording.language)) return "language is a code such as en or de";
  if (task.text_key.empty()) return std::nullopt;
  if (wording.text.empty()) return format("{} is missing: say what the {} asks", task.text_key, task.name);
  const PlainText prompt = task.prompt_of(wording);
  if (!prompt.fault.empty()) return format("{} {}", task.text_key, prompt.fault);
  return std::nullopt;
}

}  // namespace palisade
