#include "model/decoding/decoding.h"

#include <cmath>

#include "base/format.h"

namespace palisade {
namespace {

constexpr int kMaxBeams = 16;
constexpr std::size_t kMaxChoices = 64;
constexpr std::size_t kMaxSpellings = 4 * kMaxChoices;
constexpr std::size_t kChoiceBytes = 8192;  // together: they all stand in one event

struct Fault {
  using Text = std::optional<std::string>;

  Text operator()(const Greedy&) const { return std::nullopt; }
  Text operator()(const TokenSampling& sampling) const {
    if (!(sampling.temperature >= 0) || std::isinf(sampling.temperature))
      return "temperature is 0 (the most probable token) or more";
    if (sampling.top_k < 0) return "top_k is a number of tokens, or 0 for all";
    if (!(sampling.top_p > 0 && sampling.top_p <= 1)) return "top_p is more than 0 and at most 1";
    return std::nullopt;
  }
  Text operator()(const BeamSearch& search) const {
    if (search.beams < 1 || search.beams > kMaxBeams)
      return format("beams are 1 to {}, not {}", kMaxBeams, search.beams);
    if (!std::isfinite(search.length_penalty)) return "length_penalty is a number such as 1.0";
    return std::nullopt;
  }
  Text operator()(const Choices& choices) const { return fault_of(choices.texts); }
  Text operator()(const SpelledChoices& choices) const {
    std::vector<std::string> texts;
    std::size_t spellings = 0, bytes = 0;
    for (const SpelledChoice& choice : choices.choices) {
      texts.push_back(choice.text);
      spellings += choice.spellings.size();
      for (const std::string& spelling : choice.spellings) bytes += spelling.size();
      if (choice.spellings.empty()) return format("choice \"{}\" has no spelling", choice.text);
    }
    if (spellings > kMaxSpellings || bytes > kMaxSpellings / kMaxChoices * kChoiceBytes)
      return format("spellings of choices are at most {}", kMaxSpellings);
    return fault_of(texts);
  }

 private:
  static Text fault_of(const std::vector<std::string>& texts) {
    if (texts.empty()) return "there is no choice to choose from; give at least one";
    std::size_t bytes = 0;
    for (const std::string& text : texts) bytes += text.size();
    if (texts.size() > kMaxChoices || bytes > kChoiceBytes)
      return format("choices are at most {}, of 8 KiB together", kMaxChoices);
    return std::nullopt;
  }
};

}  // namespace

std::string_view name_of(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kDeadline:
      return "deadline";
    case FinishReason::kCancelled:
      return "cancelled";
  }
  return "";
}

bool is_token_by_token(const DecodingMethod& method) {
  return std::holds_alternative<Greedy>(method) || std::holds_alternative<TokenSampling>(method);
}

std::optional<std::string> method_fault(const DecodingMethod& method) {
  return std::visit(Fault{}, method);
}

}  // namespace palisade
