#include "tasks/metrics/ptb_rules.h"

#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "tasks/metrics/table_lines.h"
#include "tasks/metrics/tables.h"

namespace palisade {
namespace {

// Longest address and tag, in characters: they would make the time that a line takes grow as its square.
constexpr std::size_t kMostFar = 2048;

// Parts of rules, in the bytes of PtbText::kinds.
struct RuleParts {
  const std::string apostrophe = R"((?:['\x88]|(?i:&apos;)))";
  const std::string any_apostrophe = R"((?:['`\x88\x89]|(?i:&apos;)))";
  const std::string space = R"([ \t\x8d\x8e])";
  const std::string digit = R"([0-9\x82])";
  const std::string plain = R"([A-Za-z0-9])";
  const std::string entity_letter = R"(&[aeiouAEIOU](?i:acute|grave|uml);)";
  const std::string in_word = R"((?:[A-Za-z\x80\x81\x8f]|)" + entity_letter + ")";
  const std::string word_tail = "(?:" + in_word + "|" + digit + ")*";
  const std::string word = in_word + word_tail + "(?:[.!?]" + in_word + word_tail + ")*";
  const std::string unicode_letter = R"([A-Za-z\x80])";
  const std::string letter_or_digit = R"([A-Za-z\x80]|)" + digit;
  const std::string number = "(?:" + digit + "+|" + digit + R"(*(?:[.:,\x8f\x92])" + digit + "+)+)";
  const std::string acronym = R"([A-Za-z](?:\.[A-Za-z])+)";
  const std::string ending = "(?:[msdMSD]|(?i:re|ve|ll))";  // of "it's"
  const std::string negation = "[nN]" + any_apostrophe + "[tT]";
  const std::string in_thing =
      "(?:[dDoOlL]" + any_apostrophe + "(?:" + letter_or_digit + "))?(?:" + letter_or_digit + ")+";
  const std::string thing = in_thing + R"((?:[-_\x90])" + in_thing + ")*";
  const std::string compound =
      R"([A-Za-z0-9][A-Za-z0-9.,\x8f]*(?:-(?:[A-Za-z0-9\x8f]+|)" + acronym + R"(\.))+)";
  const std::string capitals = "[A-Z]+(?:(?:[+&]|(?i:&amp;))[A-Z]+)+";  // AT&T
  const std::string slashed_part = plain + "+(?:-[A-Za-z]+){0,2}";
  const std::string email =
      R"((?:<|&lt;)?[a-zA-Z0-9][^ \t\n\f\r"<>|(){}\x8e]*@(?:[^ \t\n\f\r"<>|(){}.\x8e]+\.)*)"
      R"([^ \t\n\f\r"<>|(){}.\x8e]+(?:>|&gt;)?)";
  const std::string path = R"((?:/[^ \t\n\f\r"<>|()]+[^ \t\n\f\r"<>|.!?(){},-])?)";
  const std::string name = "[A-Za-z][A-Za-z0-9_:.-]*";
  const std::string attribute = " +" + name + R"((?: *= *(?:'[^'\n\r]*'|"[^"\n\r]*"|)" + name + "))?";
  const std::string tag =
      R"((?:<[!?][A-Za-z-][^>\n\r]*>|<)" + name + "(?:" + attribute + ")* */?>|</" + name + " *>)";
};

struct RuleText {
  std::string expression;
  PtbForm form = PtbForm::kAsWritten;
  std::string_view text = "";
  std::size_t given_back = 0;  // characters at its end that are no part of the token
  bool before = false;         // the token is the first group
  bool far = false;            // looks far ahead before it knows whether it matches
};
using enum PtbForm;

class RuleList {
 public:
  void take(std::string expression, PtbForm form = kAsWritten) {
    rules_.push_back({std::move(expression), form});
  }
  void take_far(std::string expression, PtbForm form = kAsWritten) {
    rules_.push_back({.expression = std::move(expression), .form = form, .far = true});
  }
  void drop(std::string expression) { take(std::move(expression), kDropped); }
  void say(std::string_view text, std::string expression) {
    rules_.push_back({std::move(expression), kText, text});
  }
  // Takes all but the last `rest` characters.
  void take_start(std::string expression, std::size_t rest) {
    rules_.push_back({.expression = std::move(expression), .given_back = rest});
  }
  // Takes the part where `follows` comes after it.
  void take_before(const std::string& part, const std::string& follows, PtbForm form = kAsWritten,
                   bool far = false) {
    rules_.push_back(
        {.expression = "(" + part + ")(?:" + follows + ")", .form = form, .before = true, .far = far});
  }
  std::vector<RuleText> all() && { return std::move(rules_); }

 private:
  std::vector<RuleText> rules_;
};

void add_words(const RuleParts& p, RuleList& rules) {
  const std::string a = p.apostrophe;
  rules.take_start("(?i:cannot)", 3);
  rules.take_start("(?i:gonna|gotta|lemme|gimme|wanna)", 2);
  rules.take_start("'(?i:tis)", 2);
  rules.take_start("'(?i:twas)", 3);
  rules.take_far(p.tag, kJoined);
  rules.drop(R"(\x8b|&(?i:MD|mdash|ndash);)");
  rules.say("&", "(?i:&amp;)");
  rules.take("&(?i:HT|TL|UR|LR|QC|QL|QR|odq|cdq|#[0-9]+);");
  rules.take_before(p.word, a + p.ending, kWord);
  rules.take_before(R"([A-Za-z\x8f]*[A-MO-Za-mo-z]\x8f*)", p.negation, kWord);
  rules.take(p.word, kWord);
  rules.take(a + "[nN]" + a + "?");
  rules.take("[lLdDjJ]" + a);
  rules.take("(?i:dunkin|somethin|ol)" + a);
  rules.take(a + "(?i:em|till?|cause)");
  rules.take("[A-HJ-XZn]" + p.any_apostrophe + p.unicode_letter + "{2,}");
  rules.take(a + "[2-9]0[sS]");
  rules.take(p.unicode_letter + "+[aeiouyAEIOUY]" + p.any_apostrophe + "[aeiouA-Z]" + p.unicode_letter + "*");
  rules.take("(?i:cont" + a + R"(d\.?|nor)" + a + "easter|c" + a + "mon|e" + a + "er|o" + a + "o|s" + a +
             "mores|ev" + a + "ry|li" + a + "l|nat" + a + "l)");
  rules.take_before("[yY]" + a, p.unicode_letter);
  rules.take_before(a + "[0-9]{2}", p.space + "|\n");
}

void add_addresses(const RuleParts& p, RuleList& rules) {
  rules.take_far(R"((?i:https?)://[^ \t\n\f\r"<>|(){}]+[^ \t\n\f\r"<>|.!?(){},-])");
  rules.take_far(R"((?i:www)\.(?:[^ \t\n\f\r"<>|.!?(){},]+\.)+[a-zA-Z]{2,4})" + p.path);
  // The reference's set goes from "," to "_", and so leaves out digits and capitals.
  rules.take_far(R"((?:[^ \t\n\f\r"`'<>|.!?(){},-_$]+\.)+(?i:com|net|org|edu))" + p.path);
  rules.take_far(p.email);
  rules.take("@[a-zA-Z_][a-zA-Z_0-9]*");
  rules.take("#" + p.in_word + "+");
  rules.take_before(p.apostrophe + p.ending, "[^A-Za-z]", kStraight);
  rules.take_before(p.negation, "[^A-Za-z]", kStraight);
  rules.take_before("'", R"([A-Za-z][^ \t\n\r\x8e])", kDropped);
  rules.take(p.apostrophe + p.ending, kStraight);
  rules.take(p.negation, kStraight);
}

void add_numbers(const RuleParts& p, RuleList& rules) {
  const std::string d = p.digit;
  rules.take(d + "{1,2}[-/]" + d + "{1,2}[-/]" + d + "{2,4}");
  rules.take("[-+]?" + p.number, kWord);
  rules.take(R"(\x85?(?:\x83+|\x84+))");
  rules.take("(?:" + d + R"({1,4}[- \x8e])?)" + d + R"({1,4}(?:\\?/|\x91))" + d + "{1,4}", kJoined);
  rules.take(R"(\x93)", kOtherForm);
  rules.take(R"((?i:-(?:RRB|LRB|RCB|LCB|RSB|LSB)-|C\.D\.s|pro-|anti-|S(?:&|&amp;)P-500|S(?:&|&amp;)Ls|Cap)" +
             p.apostrophe + "n|c" + p.apostrophe + "est)");
  rules.take(p.slashed_part + R"((?:\\?/)" + p.slashed_part + "){1,2}");
  rules.take(R"([A-Z]*\$)");
  rules.take(R"(\x94)", kOtherForm);
}

// The words of a kind in data/ptb_abbreviations.txt, in any case but that of letters in brackets.
std::string alternatives(std::string_view kind) {
  std::string all;
  for_each_table_line(ptb_abbreviations_table(), [&](const std::vector<std::string_view>& line) {
    if (line[0] != kind) return;
    all += all.empty() ? "" : "|";
    for (std::string_view word = line[1]; !word.empty();) {
      const bool exact = word[0] == '[';
      const std::string letter = RE2::QuoteMeta(re2::StringPiece(word.data() + exact, 1));
      all += exact ? letter : "(?i:" + letter + ")";
      word.remove_prefix(exact ? 3 : 1);
    }
  });
  return "(?:" + all + ")";
}

void add_abbreviations(const RuleParts& p, RuleList& rules) {
  const std::string ends = alternatives("ends") + R"(\.)";
  const std::string space = "(?:" + p.space + "|\n)";
  rules.take_before(ends, "(?s:..)");
  rules.take(ends);
  rules.take(alternatives("always") + R"(\.)");
  rules.take_before("[A-Za-z]",
                    R"(\.)" + space + "+" + "(?:" + alternatives("start") + "|" + p.tag + ")" + space,
                    kAsWritten, true);
  rules.take(R"([A-Za-z]\.)");
  rules.take_before(alternatives("number") + R"(\.)", space + "?" + p.digit);
}

void add_compounds(const RuleParts& p, RuleList& rules) {
  rules.take(R"((?i:c)\+\+|(?i:c)#)");
  rules.take(p.acronym + R"(\.)");
  const std::string part = "(?:" + p.letter_or_digit + ")+";
  rules.take_before(
      part + R"((?:\.)" + part + R"()*\.)" +
          "(?i:bat|bmp|c|class|cgi|cpp|dll|docx?|exe|gif|gz|h|html?|jar|java|jpe?g|mov|mp3|pdf|php|pl|"
          "png|ppt|ps|py|sql|tar|txt|wav|x|xml|zip)",
      R"([ \t\x8d\x8e\n.?!,])");
  rules.take_before(p.word + R"(\.)", R"([,;:\x95])", kWord);
  for (const std::string& part_of_sentence : {p.compound, p.thing, p.capitals})
    rules.take_before(part_of_sentence + R"(\.)", R"([,;:\x95])", kWord);
  rules.take(R"((?:\([0-9]{2,3}\)[ \x8e]?|(?:\+\+?)?(?:[0-9]{2,4}[- \x8e])?[0-9]{2,4}[- \x8e]))"
             R"([0-9]{3,4}[- \x8e]?[0-9]{3,5}|(?:(?:\+\+?)?[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5})",
             kJoined);
  rules.take_before(R"([<>]?[:;=][-o*']?[()DPdpO\\{@|\[\]])", "[^A-Za-z0-9]", kJoined);
  rules.take(R"([-^x=~<>']_[-^x=~<>'])");
  rules.take(R"(\([-^x=~<>'][_.]?[-^x=~<>']\)|\([\^x=~<>']-[\^x=~<>'`]\))", kJoined);
  rules.take(p.compound, kWord);
  rules.take(p.thing);
  rules.take(p.capitals);
}

void add_marks(RuleList& rules) {
  rules.say("-lrb-", R"(\()");
  rules.say("-rrb-", R"(\))");
  rules.say("-lsb-", R"(\[)");
  rules.say("-rsb-", R"(\])");
  rules.say("-lcb-", R"(\{)");
  rules.say("-rcb-", R"(\})");
  rules.say("<", "(?i:&lt;)");
  rules.say(">", "(?i:&gt;)");
  rules.drop("(?i:&quot;|&nbsp;|&apos;)");
  rules.drop("-{1,4}");
  rules.take("-{5,}");
  rules.take(R"([?!]{2,}|@+|#+|_+|\*+|(?:\\\*){1,3})");
  rules.drop(R"(\.{3,5}|(?:\.[ \x8e]){2,4}\.)");
  rules.drop(R"([.?!,;:"'\x8b\x8c]|'')");
  rules.take(R"([`\x87-\x8a]{1,2})", kQuotes);
  rules.take("<<|>>");
  rules.take(R"([%&~^|\\/<>=+\x85\x86\x91\x95])");
  rules.drop(R"([ \t\n\x8d\x8e\x8f\x90\x92\x96])");
}

std::vector<RuleText> rule_texts() {
  const RuleParts parts;
  RuleList rules;
  add_words(parts, rules);
  add_addresses(parts, rules);
  add_numbers(parts, rules);
  add_abbreviations(parts, rules);
  add_compounds(parts, rules);
  add_marks(rules);
  return std::move(rules).all();
}

class CompiledRule {
 public:
  explicit CompiledRule(RuleText text) : text_(std::move(text)) {
    RE2::Options options;
    options.set_encoding(RE2::Options::EncodingLatin1);
    options.set_longest_match(true);
    options.set_never_nl(false);
    options.set_log_errors(false);
    expression_ = std::make_unique<RE2>(text_.expression, options);
    if (!expression_->ok()) throw Error("a bug: " + text_.expression + ": " + expression_->error());
  }

  const RuleText& text() const { return text_; }
  // How much it matches at the front, with what it looks ahead at; 0: nothing.
  std::size_t length(std::string_view rest) const {
    if (text_.far) rest = rest.substr(0, kMostFar);
    re2::StringPiece whole;
    return expression_->Match(re2::StringPiece(rest.data(), rest.size()), 0, rest.size(), RE2::ANCHOR_START,
                              &whole, 1)
               ? whole.size()
               : 0;
  }
  // What it takes of a match of `length`.
  PtbMatch take(std::string_view rest, std::size_t length) const {
    std::size_t size = length - text_.given_back;
    if (text_.before) {
      re2::StringPiece groups[2];
      expression_->Match(re2::StringPiece(rest.data(), length), 0, length, RE2::ANCHOR_START, groups, 2);
      size = groups[1].size();
    }
    return {size, text_.form, text_.text};
  }

 private:
  RuleText text_;
  std::unique_ptr<RE2> expression_;
};

}  // namespace

PtbMatch match_ptb_rules(std::string_view rest) {
  static const std::vector<CompiledRule> kRules = [] {
    std::vector<CompiledRule> rules;
    for (RuleText& text : rule_texts()) rules.emplace_back(std::move(text));
    return rules;
  }();
  const CompiledRule* best = nullptr;
  std::size_t longest = 0;
  for (const CompiledRule& rule : kRules) {
    const std::size_t length = rule.length(rest);
    if (length <= longest) continue;
    best = &rule;
    longest = length;
  }
  if (best == nullptr) return {.size = 1};
  return best->take(rest, longest);
}

}  // namespace palisade
