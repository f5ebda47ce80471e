#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/decoding/verdict.h"
#include "model/token_id.h"

namespace palisade {

// Why a generation ended: the model said <eos>, max_new_tokens was reached, its deadline passed, or its asker
// left.
enum class FinishReason { kStop, kLength, kDeadline, kCancelled };
std::string_view name_of(FinishReason reason);

// Always the most probable token.
struct Greedy {};

// Draws each token from the distribution at `temperature`, of the `top_k` most probable tokens alone (0: of
// all), and of these the fewest that hold `top_p` together. A temperature of 0 is Greedy. The draws are
// std::mt19937_64's of `seed`, one a token: see token_sampling.cc.
struct TokenSampling {
  double temperature = 1;
  int top_k = 0;
  double top_p = 1;
  std::uint64_t seed = 0;
};

// Whose beam search: transformers 4.57.1's, or big_vision's beam_decode (no length penalty).
enum class BeamRules { kTransformers, kBigVision };
// transformers' early_stopping False, True and "never": when beams that still run are given up.
enum class EarlyStopping { kHeuristic, kWhenFull, kNever };
struct BeamSearch {
  int beams = 4;
  double length_penalty = 1;
  EarlyStopping early_stopping = EarlyStopping::kHeuristic;
  BeamRules rules = BeamRules::kTransformers;
};

// One of these texts, each scored whole with <eos>. max_new_tokens does not apply.
struct Choices {
  std::vector<std::string> texts;
};

// An answer that may be said in several ways: "yes", "Yes", "YES".
struct SpelledChoice {
  std::string text;
  std::vector<std::string> spellings;
};

// One of these answers. All spellings are scored whole with <eos> in the prefill's own pass; nothing is
// decoded. An answer's probability is the sum of its spellings'. max_new_tokens does not apply.
struct SpelledChoices {
  std::vector<SpelledChoice> choices;
};

using DecodingMethod = std::variant<Greedy, TokenSampling, BeamSearch, Choices, SpelledChoices>;

// How many of the most probable tokens of a step an answer can carry.
inline constexpr int kMaxTopTokens = 20;

struct DecodingOptions {
  int max_new_tokens = 64;
  int top_tokens = 0;            // so many of the most probable tokens of each step: Answer::top_tokens
  bool location_spread = false;  // LocationToken::spread; of greedy decoding and sampling
  bool ignore_eos = false;       // go on to max_new_tokens (verification)
  DecodingMethod method = {};
  // Bounds the logits before anything looks at them: big_vision's way with Gemma 2, not transformers'.
  std::optional<float> softcap = {};
  std::optional<std::chrono::steady_clock::time_point> deadline = {};
  std::function<bool()> cancelled = {};  // asked before every token; may be empty
};

// One of the sequences that a beam search returns.
struct Beam {
  std::vector<TokenId> token_ids;
  std::vector<double> token_logprobs;
  double score = 0;  // what it was ranked by
};

// One of the Choices or SpelledChoices: `logprob` of its tokens and <eos>, summed over its spellings; `p`
// among the given texts.
struct ScoredChoice {
  std::string text;
  double logprob = 0;
  double p = 0;
};

// A token that could have come, and its natural log-probability before temperature and cuts.
struct TopToken {
  TokenId token = 0;
  std::string text;
  double logprob = 0;
};

// A <locDDDD> of an answer. `spread` is the standard deviation of the distribution over all of them, where it
// was asked for.
struct LocationToken {
  int location = 0;
  double logprob = 0;
  std::optional<double> spread = {};
};

// How often the language model was run for an answer: a prefill, and steps of one token each.
struct LanguagePasses {
  int prefill = 0;
  int decode = 0;
};

// What a model said. `token_ids` includes the <eos> that ended it; `text` does not. `logprob` is the sum of
// `token_logprobs`, the tokens' natural log-probabilities before temperature and cuts.
struct Answer {
  std::vector<TokenId> token_ids = {};
  std::string text = {};
  double logprob = 0;
  FinishReason finish_reason = FinishReason::kStop;
  std::vector<double> token_logprobs = {};
  // For each step the most probable tokens, the most probable first; empty unless the options ask for them.
  std::vector<std::vector<TopToken>> top_tokens = {};
  std::vector<LocationToken> locations = {};  // those of token_ids, in order
  Verdict yes_no = {};                        // of the first token; no mass where it ended before that
  Verdict true_false = {};                    // likewise
  std::vector<Beam> beams = {};               // BeamSearch: all that it returns, the best first
  std::vector<ScoredChoice> choices = {};     // Choices and SpelledChoices: all, as given
  LanguagePasses passes = {};                 // none where it ended before its prefill did
};

// Whether an answer grows by one token a step, as it does not with beams and choices.
bool is_token_by_token(const DecodingMethod& method);
// What is wrong with a method's numbers, or nothing.
std::optional<std::string> method_fault(const DecodingMethod& method);

}  // namespace palisade
