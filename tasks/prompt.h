#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace palisade {

// Longest prompt in bytes.
inline constexpr std::size_t kMaxPrompt = 8192;

// What a person wrote, as a model may read it. `fault` is empty, or says why it may not; it follows the name
// of what was written: "is blank: ...".
struct PlainText {
  std::string text;
  std::string fault;
};

// Any text of a person: a suffix, a choice, a text to compare with a picture. White space around it goes, a
// line break is "\n" however it was written and stays inside; <locDDDD> and <segDDD> are the tokens that they
// name. Text that spells a control token (<image>, <bos>, <eos>, <pad>, <unk>) is refused: it would never
// become one, and whoever wrote it meant something else. So are control characters, and text that is no
// UTF-8. Blank text is no fault here.
PlainText plain_text(std::string_view written);

// A whole prompt: the same, not blank and at most kMaxPrompt long; the word of PaliGemma's that it begins
// with ("answer", "caption", "detect" ...) is written as PaliGemma knows it, in lower case. A line break ends
// a prompt for the model, so that one inside is read as a space.
PlainText whole_prompt(std::string_view written);

// A prompt typed by a person: a whole prompt where it begins with such a word, else asked as a question:
// "answer en ...".
PlainText prompt_of_words(std::string_view words, std::string_view language);

// A whole prompt that begins with `word`, which may be written before the text already: "detect", "car ;
// dog".
PlainText prompt_after(std::string_view word, std::string_view text);

// The task a prompt belongs to, as its event names it: "question" of "answer en ...", "detect" of "detect
// car", kOtherPrompt where it begins with no word of PaliGemma's.
std::string_view task_of_prompt(std::string_view prompt);
inline constexpr std::string_view kOtherPrompt = "prompt";

// True of a code such as en or pt-br.
bool is_language(std::string_view language);

}  // namespace palisade
