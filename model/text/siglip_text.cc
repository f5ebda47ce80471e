#include "model/text/siglip_text.h"

#include <locale.h>
#include <wctype.h>

#include <cstring>
#include <memory>

#include "base/utf8.h"
#include "model/error.h"

namespace palisade {
namespace {

constexpr char32_t kWordStart = 0x2581;  // SentencePiece's "▁"
constexpr char32_t kReplacement = 0xfffd;

// Python's \s in a str.
bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

bool is_ascii_punctuation(char32_t c) {
  return c < 0x80 && std::strchr("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", int(c)) != nullptr && c != 0;
}

locale_t case_table() {
  static const locale_t table = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (!table) throw ModelError("the locale C.UTF-8 is missing; SigLIP's texts are lower-cased with it");
  return table;
}

void append_lower(std::string& text, char32_t c) {
  append_utf8(text, char32_t(towlower_l(wint_t(c), case_table())));
  if (c == 0x130) append_utf8(text, 0x307);  // the one letter whose lower case is two
}

}  // namespace

std::string canonical_text(std::string_view text) {
  std::string canonical;
  append_utf8(canonical, kWordStart);
  bool space = false;
  while (!text.empty()) {
    const auto point = next_code_point(text);
    text.remove_prefix(point ? point->bytes : 1);
    const char32_t c = point ? point->value : kReplacement;
    if (is_ascii_punctuation(c)) continue;
    // transformers turns a "▁" that a text spells into a space.
    if (c == kWordStart || is_space(c)) {
      space = true;
      continue;
    }
    if (space) canonical += ' ';
    space = false;
    append_lower(canonical, c);
  }
  return canonical;
}

}  // namespace palisade
