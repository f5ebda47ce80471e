#include "tasks/task.h"

#include <algorithm>
#include <array>
#include <utility>

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
  return "answer " + wording.language + " " + wording.text;
}

void read_text(const Answer& answer, AnswerEvent& event) {
  event.text = answer.text;
  event.finish_reason = name_of(answer.finish_reason);
  event.token_ids = answer.token_ids;
  event.logprob = answer.logprob;
  event.token_logprobs = answer.token_logprobs;
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

// The words that PaliGemma's prompts begin with, and the task that each belongs to.
constexpr std::pair<std::string_view, std::string_view> kPromptWords[] = {
    {"caption", "caption"}, {"cap", "caption"},       {"describe", "caption"}, {"ocr", "read"},
    {"answer", "question"}, {"question", "question"}, {"detect", "detect"},    {"segment", "segment"},
};

// The task of a prompt that begins with none of these.
constexpr std::string_view kOtherPrompt = "prompt";

std::string_view first_word(std::string_view text) {
  return text.substr(0, text.find(' '));
}

bool is_language(std::string_view language) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; };
  return language.size() >= 2 && language.size() <= 16 && std::ranges::all_of(language, allowed);
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

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
  if (wording.text.size() > kMaxPrompt) return key + " is longer than 8 KiB";
  if (has_control(wording.text))
    return key + " holds a line break or control character: write it on one line";
  return std::nullopt;
}

std::string_view task_of_prompt(std::string_view prompt) {
  for (const auto& [word, task] : kPromptWords) {
    if (first_word(prompt) == word) return task;
  }
  return kOtherPrompt;
}

std::string prompt_of_words(std::string_view words, std::string_view language) {
  if (task_of_prompt(words) != kOtherPrompt) return std::string(words);
  return answer_prompt({.language = std::string(language), .text = std::string(words)});
}

}  // namespace palisade
