#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// The tokens of one line of English as pycocoevalcap's tokenizer gives them: CoreNLP 3.4.1's PTBTokenizer
// with -preserveLines -lowerCase. Valid UTF-8 in, tokens in lower case out; some hold U+00A0 where the text
// had a space. Takes time that grows as the text does. What stands in the next line is not looked at.
std::vector<std::string> ptb_tokens(std::string_view line);

// Its tokens without punctuation, joined by a space. Every line break is a space.
std::string caption_tokens(std::string_view caption);
// Whether it holds what ends a line in CoreNLP.
bool has_line_break(std::string_view caption);

}  // namespace palisade
