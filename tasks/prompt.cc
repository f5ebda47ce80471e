#include "tasks/prompt.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/format.h"
#include "base/utf8.h"

namespace palisade {
namespace {

// The words that PaliGemma's prompts begin with, and the task that each belongs to.
constexpr std::pair<std::string_view, std::string_view> kPromptWords[] = {
    {"caption", "caption"}, {"cap", "cap"},           {"describe", "describe"}, {"ocr", "ocr"},
    {"answer", "question"}, {"question", "question"}, {"detect", "detect"},     {"segment", "segment"},
};

// Pieces of the tokenizer that stand for no text.
constexpr std::array<std::string_view, 5> kControlTokens = {"<image>", "<bos>", "<eos>", "<pad>", "<unk>"};

// White space as Unicode has it, and what stands for none: marks of no width, and the sign that SentencePiece
// writes for a space and reads as one.
bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0d) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200b) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x2060 || c == 0x2581 || c == 0x3000 || c == 0xfeff;
}

// Bytes of leading white space in valid UTF-8.
std::size_t leading_space(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const CodePoint point = *next_code_point(text.substr(at));
    if (!is_white_space(point.value)) break;
    at += point.bytes;
  }
  return at;
}

// Where trailing white space begins in valid UTF-8.
std::size_t trailing_space(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = *next_code_point(text.substr(at));
    at += point.bytes;
    if (!is_white_space(point.value)) end = at;
  }
  return end;
}

std::string with_line_feeds(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool pair = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (!pair) out += text[i] == '\r' ? '\n' : text[i];
  }
  return out;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
}

std::string content_fault(std::string_view text) {
  if (std::ranges::any_of(text, is_control)) return "holds a control character: remove it";
  for (const std::string_view token : kControlTokens) {
    if (text.find(token) == std::string_view::npos) continue;
    return "holds " + std::string(token) +
           ", the name of a control token, which text never becomes: remove it" +
           (token == "<image>" ? "; pictures stand before the prompt without being named"
                               : "; Palisade writes it where it belongs");
  }
  return {};
}

// The first word of text without leading white space.
std::string_view first_word(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto point = next_code_point(text.substr(at));
    if (!point || is_white_space(point->value)) break;
    at += point->bytes;
  }
  return text.substr(0, at);
}

std::string lower_case(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  }
  return lower;
}

std::string length_fault(std::string_view prompt) {
  return prompt.size() > kMaxPrompt ? "is longer than 8 KiB: shorten it" : "";
}

}  // namespace

PlainText plain_text(std::string_view written) {
  if (!valid_utf8(written)) return {{}, "is not UTF-8: write it in UTF-8"};
  written.remove_prefix(leading_space(written));
  written = written.substr(0, trailing_space(written));
  PlainText plain{with_line_feeds(written), {}};
  plain.fault = content_fault(plain.text);
  return plain;
}

PlainText whole_prompt(std::string_view written) {
  PlainText prompt = plain_text(written);
  if (!prompt.fault.empty()) return prompt;
  std::ranges::replace(prompt.text, '\n', ' ');
  if (prompt.text.empty()) prompt.fault = "is blank: say what is asked";
  if (prompt.fault.empty()) prompt.fault = length_fault(prompt.text);
  const std::string word = lower_case(first_word(prompt.text));
  if (task_of_prompt(word) != kOtherPrompt) prompt.text.replace(0, word.size(), word);
  return prompt;
}

PlainText prompt_of_words(std::string_view words, std::string_view language) {
  PlainText prompt = whole_prompt(words);
  if (!prompt.fault.empty() || task_of_prompt(prompt.text) != kOtherPrompt) return prompt;
  prompt.text = "answer " + std::string(language) + " " + prompt.text;
  prompt.fault = length_fault(prompt.text);
  return prompt;
}

PlainText prompt_after(std::string_view word, std::string_view text) {
  PlainText prompt = whole_prompt(text);
  if (!prompt.fault.empty() || first_word(prompt.text) == word) return prompt;
  prompt.text = format("{} {}", word, prompt.text);
  prompt.fault = length_fault(prompt.text);
  return prompt;
}

std::string_view task_of_prompt(std::string_view prompt) {
  const std::string_view word = first_word(prompt);
  for (const auto& [known, task] : kPromptWords) {
    if (word == known) return task;
  }
  return kOtherPrompt;
}

bool is_language(std::string_view language) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; };
  return language.size() >= 2 && language.size() <= 16 && std::ranges::all_of(language, allowed);
}

}  // namespace palisade
