#include "tasks/task.h"

#include <algorithm>
#include <array>

#include "tasks/prompt.h"

namespace palisade {
namespace {

constexpr std::array kCaptionFrames = {16, 1, 2};
constexpr std::array kQuestionFrames = {16, 1, 2};
constexpr std::array kPairFrames = {2};

std::string caption_prompt(const Wording& wording) {
  return "caption " + wording.language;
}

// NLVR2 asks whether a statement holds with the same prefix as a question.
std::string answer_prompt(const Wording& wording) {
  return prompt_of_words(wording.text, wording.language).text;
}

void read_text(const Answer& answer, AnswerEvent& event) {
  event.text = answer.text;
  event.finish_reason = name_of(answer.finish_reason);
  event.token_ids = answer.token_ids;
  event.logprob = answer.logprob;
  event.token_logprobs = answer.token_logprobs;
  event.top_tokens = answer.top_tokens;
  for (const ScoredChoice& choice : answer.choices)
    event.choices.push_back({.text = choice.text, .p = choice.p, .logprob = choice.logprob});
}

// Both sides of a verdict, where no choices were given and the first token gave the sides at least something.
void read_verdict(const Verdict& verdict, std::string_view affirmative, std::string_view negative,
                  AnswerEvent& event) {
  if (!event.choices.empty() || !(verdict.mass() > 0)) return;
  event.choices = {{.text = std::string(affirmative), .p = verdict.p_affirmative(), .logprob = {}},
                   {.text = std::string(negative), .p = verdict.p_negative(), .logprob = {}}};
}

// Of a question that asks for anything but yes or no the two would say nothing.
void read_question(const Answer& answer, AnswerEvent& event) {
  read_text(answer, event);
  if (answer.yes_no.mass() > 0.5) read_verdict(answer.yes_no, "yes", "no", event);
}

// NLVR2's labels.
void read_pair(const Answer& answer, AnswerEvent& event) {
  read_text(answer, event);
  read_verdict(answer.true_false, "true", "false", event);
}

constexpr Task kTasks[] = {
    {"caption", "", kCaptionFrames, caption_prompt, read_text},
    {"question", "question", kQuestionFrames, answer_prompt, read_question},
    {"pair", "statement", kPairFrames, answer_prompt, read_pair},
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
  const std::string key(task.text_key);
  if (wording.text.empty()) return key + " is missing: say what the " + std::string(task.name) + " asks";
  const PlainText prompt = prompt_of_words(wording.text, wording.language);
  if (!prompt.fault.empty()) return key + " " + prompt.fault;
  return std::nullopt;
}

}  // namespace palisade
