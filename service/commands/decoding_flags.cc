#include "service/commands/decoding_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/error.h"
#include "tasks/prompt.h"

namespace palisade {
namespace {

Choices choices_of(std::string_view text) {
  Choices choices;
  while (true) {
    const std::size_t comma = text.find(',');
    const PlainText read = plain_text(text.substr(0, comma));
    if (!read.fault.empty()) throw UsageError("a choice of --choices " + read.fault);
    choices.texts.push_back(read.text);
    const std::string& choice = choices.texts.back();
    if (choice.empty())
      throw UsageError("--choices has an empty choice; give texts separated by commas, such as yes,no");
    if (std::ranges::count(choices.texts, choice) > 1)
      throw UsageError("--choices has \"" + choice + "\" twice; give each once");
    if (comma == std::string_view::npos) return choices;
    text.remove_prefix(comma + 1);
  }
}

bool samples(const DecodingFlags& flags) {
  return flags.temperature || flags.top_k || flags.top_p || flags.seed;
}

DecodingMethod unchecked_method_of(const DecodingFlags& flags) {
  if (flags.choices) return choices_of(*flags.choices);
  if (flags.beams)
    return BeamSearch{.beams = *flags.beams, .length_penalty = flags.length_penalty.value_or(1)};
  if (!samples(flags)) return Greedy{};
  return TokenSampling{.temperature = flags.temperature.value_or(1),
                       .top_k = flags.top_k.value_or(0),
                       .top_p = flags.top_p.value_or(1),
                       .seed = flags.seed.value_or(0)};
}

}  // namespace

void add_decoding_flags(CLI::App& command, DecodingFlags& flags) {
  command.add_option("--choices", flags.choices, "Answer with one of these texts and its probability")
      ->envname("PALISADE_CHOICES")
      ->type_name("A,B...");
  command.add_option("--beams", flags.beams, "Beams of a beam search (1 to 16)")
      ->envname("PALISADE_BEAMS")
      ->type_name("N");
  command
      .add_option("--length-penalty", flags.length_penalty,
                  "Exponent of the length in a beam search: above 0 favours longer answers; default: 1")
      ->envname("PALISADE_LENGTH_PENALTY");
  command
      .add_option("--temperature", flags.temperature,
                  "Draw tokens at random: below 1 closer to the most probable, 0 always that; default: 1")
      ->envname("PALISADE_TEMPERATURE");
  command.add_option("--top-k", flags.top_k, "Draw from this many most probable tokens; default: all")
      ->envname("PALISADE_TOP_K");
  command
      .add_option("--top-p", flags.top_p,
                  "Draw from the fewest tokens that hold this probability together; default: 1, all")
      ->envname("PALISADE_TOP_P");
  command
      .add_option("--seed", flags.seed, "Seed of the draws: the same seed gives the same answer; default: 0")
      ->envname("PALISADE_SEED");
  command
      .add_option("--top-tokens", flags.top_tokens,
                  "With --json: the N most probable tokens of each step; not with --beams or --choices")
      ->envname("PALISADE_TOP_TOKENS")
      ->check(CLI::Range(0, kMaxTopTokens))
      ->capture_default_str();
}

DecodingMethod method_of(const DecodingFlags& flags) {
  if (int(flags.choices.has_value()) + int(flags.beams.has_value()) + int(samples(flags)) > 1)
    throw UsageError(
        "--choices, --beams, and --temperature with --top-k, --top-p and --seed exclude each other; "
        "use one way of answering");
  if (flags.top_tokens > 0 && (flags.choices || flags.beams))
    throw UsageError("--top-tokens is of answers token by token, without --choices or --beams");
  if (flags.length_penalty && !flags.beams)
    throw UsageError("--length-penalty belongs to --beams; give both or neither");
  DecodingMethod method = unchecked_method_of(flags);
  if (const auto fault = method_fault(method)) throw UsageError(*fault);
  return method;
}

}  // namespace palisade
