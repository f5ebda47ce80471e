#include "model/paligemma/sequence.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "model/kernels/kernels.h"
#include "tests/model/reference_model.h"

using namespace palisade;

namespace {

void check_same(const Distribution& a, const Distribution& b) {
  CHECK(std::ranges::equal(a.logits(), b.logits()));
  CHECK(a.most_probable().token == b.most_probable().token);
  CHECK(a.most_probable().logprob == b.most_probable().logprob);
}

}  // namespace

TEST_CASE("a sequence's distribution is that of its logits: prefilled, stepped with others, and forked") {
  const ReferenceModel reference;
  Sequence trunk = reference.prefill(3);
  check_same(trunk.distribution(), Distribution(trunk.logits()));
  std::vector<Sequence> all;
  for (int i = 0; i < 5; ++i) all.push_back(trunk.fork());
  check_same(all.front().distribution(), trunk.distribution());
  std::vector<Sequence*> views;
  for (Sequence& one : all) views.push_back(&one);
  const std::vector<TokenId> tokens = {600, 601, 602, 603, 604};
  reference.model.step(views, tokens);
  for (const Sequence& one : all) check_same(one.distribution(), Distribution(one.logits()));
}

TEST_CASE("bounded logits stay bounded from step to step, in forks too, and others' are not") {
  const ReferenceModel reference("paligemma2-tiny");
  Sequence plain = reference.prefill(2), bounded = plain.fork();
  const auto check_bounded = [&](const Sequence& other) {
    std::vector<float> expected(plain.logits().begin(), plain.logits().end());
    softcap(expected, 0.5f);
    check_same(other.distribution(), Distribution(expected));
    CHECK_FALSE(std::ranges::equal(other.logits(), plain.logits()));
  };
  bounded.bound_logits(0.5f);
  check_bounded(bounded);
  Sequence fork = bounded.fork();
  check_bounded(fork);
  Sequence* const views[] = {&plain, &bounded, &fork};
  const TokenId tokens[] = {600, 600, 600};
  reference.model.step(views, tokens);
  check_bounded(bounded);
  check_bounded(fork);
}
