#include "model/paligemma/distribution.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "model/error.h"

using namespace palisade;

namespace {

// A reference that sorts the whole vocabulary, in double.
std::vector<Candidate> best_by_sorting(const std::vector<float>& logits, std::size_t count) {
  const double largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - largest);
  std::vector<TokenId> tokens(logits.size());
  std::iota(tokens.begin(), tokens.end(), 0);
  std::ranges::stable_sort(
      tokens, [&](TokenId a, TokenId b) { return logits[std::size_t(a)] > logits[std::size_t(b)]; });
  tokens.resize(std::min(count, tokens.size()));
  std::vector<Candidate> best;
  for (const TokenId token : tokens)
    best.push_back({token, logits[std::size_t(token)] - largest - std::log(sum)});
  return best;
}

void check_best(const std::vector<float>& logits) {
  const Distribution distribution(logits);
  for (const int count : {1, 2, 5, 20, 252, 300}) {
    CAPTURE(count);
    const auto best = distribution.best(count), expected = best_by_sorting(logits, std::size_t(count));
    REQUIRE(best.size() == expected.size());
    for (std::size_t rank = 0; rank < best.size(); ++rank) {
      CHECK(best[rank].token == expected[rank].token);
      CHECK(std::abs(best[rank].logprob - expected[rank].logprob) < 1e-6);
    }
  }
  CHECK(distribution.best(0).empty());
}

}  // namespace

TEST_CASE("the best tokens are those of a whole sort, of equals the lower id first") {
  for (const int size : {1, 4, 7, 255, 1025, 5000, 257216}) {
    CAPTURE(size);
    for (const float steps : {1e6f, 2.0f, 0.1f}) {  // fine logits, many ties, nothing but a few values
      CAPTURE(steps);
      std::mt19937 random{unsigned(size)};
      std::normal_distribution<float> any(0, 3);
      std::vector<float> logits(static_cast<std::size_t>(size));
      for (float& logit : logits) logit = std::round(any(random) * steps) / steps;
      check_best(logits);
    }
  }
  check_best(std::vector<float>(3000, 1.5f));
}

TEST_CASE("the best tokens may all stand in one block") {
  std::vector<float> logits(10000);
  for (std::size_t i = 0; i < logits.size(); ++i)
    logits[i] = i / 1024 == 4 ? 10 + float(i % 7) : -float(i % 13);
  check_best(logits);
}

TEST_CASE("the most probable token is the first of the best") {
  const std::vector<float> logits = {1, 4, 2, 4, -3};
  const Distribution distribution(logits);
  CHECK(distribution.most_probable().token == 1);
  CHECK(distribution.most_probable().logprob == distribution.best(1).front().logprob);
}

TEST_CASE("logits that are not finite make no distribution") {
  const std::vector<float> logits = {1, INFINITY, 2};
  CHECK_THROWS_AS(Distribution{logits}, ModelError);
}
