#include "model/decoding/generation.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <memory>

#include "base/format.h"
#include "base/json.h"
#include "model/error.h"
#include "tests/model/reference_model.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;

struct Wish {
  std::string prompt;
  DecodingOptions options;
};

std::vector<Wish> mixed_wishes() {
  return {
      {"caption en", {.max_new_tokens = 10, .ignore_eos = true}},
      {"caption en", {.max_new_tokens = 9, .method = BeamSearch{.beams = 4, .length_penalty = 2}}},
      {"answer en how many?", {.method = Choices{{"yes", "no", "3 circles", "a red square"}}}},
      {"detect circle",
       {.max_new_tokens = 7, .method = BeamSearch{.beams = 3, .rules = BeamRules::kBigVision}}},
      {"ocr",
       {.max_new_tokens = 12,
        .ignore_eos = true,
        .method = TokenSampling{.temperature = 2, .top_k = 20, .seed = 5}}},
      {"answer en why?", {.max_new_tokens = 4}},
  };
}

Generation begin(const ReferenceModel& reference, const Wish& wish) {
  const int positions = needs_of(reference.model, wish.options).new_positions;
  return Generation(reference.model, reference.prefill(positions, wish.prompt), wish.options);
}

// Steps several generations together. Generation i joins at turn i, so that they have different lengths.
std::vector<Answer> answered_together(const ReferenceModel& reference, const std::vector<Wish>& wishes) {
  std::vector<std::unique_ptr<Generation>> generations;
  bool all_done = false;
  while (!all_done) {
    if (generations.size() < wishes.size())
      generations.push_back(std::make_unique<Generation>(begin(reference, wishes[generations.size()])));
    std::vector<Generation*> joined;
    all_done = generations.size() == wishes.size();
    for (const auto& generation : generations) {
      generation->choose();
      all_done = all_done && generation->done();
      joined.push_back(generation.get());
    }
    step_all(reference.model, joined);
  }
  std::vector<Answer> answers;
  for (const auto& generation : generations) answers.push_back(generation->finish());
  return answers;
}

// A copy of a reference model in which one weight is not a number.
struct DamagedModel {
  fs::path folder = fs::temp_directory_path() / format("palisade-damaged-{}", ::getpid());

  explicit DamagedModel(const std::string& tensor) {
    fs::copy(kReference / "models/paligemma1-tiny", folder, fs::copy_options::recursive);
    std::fstream file(folder / "model.safetensors", std::ios::in | std::ios::out | std::ios::binary);
    std::uint64_t length = 0;
    file.read(reinterpret_cast<char*>(&length), sizeof length);
    std::string header(length, ' ');
    file.read(header.data(), std::streamsize(length));
    const auto offset = parse_json(header, "header").at(tensor).at("data_offsets").at(0).get<std::size_t>();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    file.seekp(std::streamoff(sizeof length + length + offset));
    file.write(reinterpret_cast<const char*>(&nan), sizeof nan);
  }
  ~DamagedModel() { fs::remove_all(folder); }
};

}  // namespace

TEST_CASE("generations of every kind stepped in one batch give the tokens they give alone") {
  for (const char* const name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    const ReferenceModel reference(name);
    const auto wishes = mixed_wishes();
    const auto together = answered_together(reference, wishes);
    for (std::size_t i = 0; i < wishes.size(); ++i) {
      CAPTURE(wishes[i].prompt);
      const Answer alone = reference.answer(wishes[i].options, wishes[i].prompt);
      CHECK(together[i].token_ids == alone.token_ids);
      CHECK(together[i].text == alone.text);
      CHECK(std::abs(together[i].logprob - alone.logprob) < 1e-3);
      CHECK(together[i].finish_reason == alone.finish_reason);
      REQUIRE(together[i].beams.size() == alone.beams.size());
      for (std::size_t beam = 0; beam < alone.beams.size(); ++beam)
        CHECK(together[i].beams[beam].token_ids == alone.beams[beam].token_ids);
    }
  }
}

TEST_CASE("a fork goes its own way and leaves the sequence it came from alone") {
  const ReferenceModel reference;
  Sequence trunk = reference.prefill(3);
  const std::vector<float> before(trunk.logits().begin(), trunk.logits().end());
  Sequence first = trunk.fork(), second = trunk.fork();
  const TokenId tokens[] = {600, 700};
  Sequence* const forks[] = {&first, &second};
  reference.model.step(forks, tokens);
  CHECK(std::ranges::equal(trunk.logits(), before));
  CHECK_FALSE(std::ranges::equal(first.logits(), second.logits()));
  Sequence* const one = &trunk;
  reference.model.step({&one, 1}, {tokens, 1});
  double largest = 0;
  for (std::size_t i = 0; i < before.size(); ++i)
    largest = std::max(largest, std::abs(double(trunk.logits()[i]) - first.logits()[i]));
  CHECK(largest < 1e-4);
}

TEST_CASE("no more sequences are pending than were announced") {
  const ReferenceModel reference;
  for (const Wish& wish : mixed_wishes()) {
    const GenerationNeeds needs = needs_of(reference.model, wish.options);
    Generation generation = begin(reference, wish);
    Generation* const alone = &generation;
    for (generation.choose(); !generation.done(); generation.choose()) {
      CHECK(int(generation.pending().size()) <= needs.sequences);
      step_all(reference.model, {&alone, 1});
    }
    CHECK(generation.pending().empty());
  }
}

TEST_CASE("a generation cancelled in the middle ends at the next token with what it has") {
  const ReferenceModel reference;
  const auto whole = reference.answer({.max_new_tokens = 10, .ignore_eos = true}).token_ids;
  for (const int after : {0, 1, 4}) {
    int turns = 0;
    const Answer answer = reference.answer(
        {.max_new_tokens = 10, .ignore_eos = true, .cancelled = [&] { return turns++ == after; }});
    CHECK(answer.finish_reason == FinishReason::kCancelled);
    CHECK(answer.token_ids == std::vector<TokenId>(whole.begin(), whole.begin() + after));
  }
}

TEST_CASE("beams and choices cut off say so, and no choice is claimed") {
  const ReferenceModel reference;
  for (const DecodingMethod& method :
       {DecodingMethod(BeamSearch{.beams = 4}), DecodingMethod(Choices{{"a red square", "3 circles"}})}) {
    int turns = 0;
    DecodingOptions options{.max_new_tokens = 12, .method = method};
    options.cancelled = [&] { return turns++ == 1; };
    const Answer cancelled = reference.answer(options, "answer en how many?");
    CHECK(cancelled.finish_reason == FinishReason::kCancelled);
    CHECK(cancelled.choices.empty());
    const auto past = std::chrono::steady_clock::now();
    const Answer late = reference.answer({.max_new_tokens = 12, .method = method, .deadline = past});
    CHECK(late.finish_reason == FinishReason::kDeadline);
    CHECK(late.text.empty());
    CHECK(late.yes_no.mass() == 0);
  }
}

TEST_CASE("logits that are not finite end their own generation and no other's") {
  const ReferenceModel reference;
  auto damaged = std::make_shared<Matrix>(reference.features[0]->rows(), reference.features[0]->cols());
  std::fill_n(damaged->data(), damaged->size(), std::numeric_limits<float>::quiet_NaN());
  const ImageFeatures bad = damaged;
  const auto prompt = reference.model.prompt_ids("caption en");
  for (const Wish& wish : mixed_wishes()) {
    Sequence sequence = reference.model.prefill({&bad, 1}, prompt, 12);
    CHECK_THROWS_WITH_AS(decode(reference.model, std::move(sequence), wish.options),
                         doctest::Contains("not finite"), ModelError);
  }
  // In the same batch as a sequence with damaged logits.
  const DecodingOptions options{.max_new_tokens = 8, .ignore_eos = true};
  Generation good(reference.model, reference.prefill(8), options);
  Sequence broken = reference.model.prefill({&bad, 1}, prompt, 8);
  for (good.choose(); !good.done(); good.choose()) {
    const Step step = good.pending().front();
    Sequence* const both[] = {&broken, step.sequence};
    const TokenId tokens[] = {600, step.token};
    reference.model.step(both, tokens);
  }
  CHECK(good.finish().token_ids == reference.answer(options).token_ids);
}

TEST_CASE("a damaged checkpoint gives an error, not an answer") {
  const DamagedModel damaged("language_model.model.norm.weight");
  const PaliGemma model(damaged.folder);
  CHECK_THROWS_WITH_AS(decode(model, model.prefill({}, model.prompt_ids("caption en"), 4), {}),
                       doctest::Contains("palisade model verify"), ModelError);
}

TEST_CASE(
    "an answer carries the most probable tokens of each step, the chosen one with its own probability") {
  const ReferenceModel reference("paligemma1-tiny");
  const DecodingOptions options{.max_new_tokens = 6, .top_tokens = 5, .ignore_eos = true};
  const Answer answer =
      decode(reference.model,
             reference.prefill(needs_of(reference.model, options).new_positions, "caption en"), options);
  REQUIRE(answer.top_tokens.size() == answer.token_ids.size());
  for (std::size_t step = 0; step < answer.top_tokens.size(); ++step) {
    const std::vector<TopToken>& top = answer.top_tokens[step];
    REQUIRE(top.size() == 5);
    CHECK(top[0].token == answer.token_ids[step]);
    CHECK(top[0].logprob == answer.token_logprobs[step]);
    CHECK(std::ranges::is_sorted(top, std::ranges::greater(), &TopToken::logprob));
    CHECK(top[0].text == reference.model.tokenizer().decode({&top[0].token, 1}));
  }
  for (const DecodingOptions& refused : {DecodingOptions{.top_tokens = 5, .method = BeamSearch{}},
                                         DecodingOptions{.top_tokens = kMaxTopTokens + 1}})
    CHECK_THROWS_AS(needs_of(reference.model, refused), ModelError);
}
