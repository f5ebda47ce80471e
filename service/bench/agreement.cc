#include "service/bench/agreement.h"

#include <algorithm>
#include <cmath>

#include "service/bench/stages.h"

namespace palisade {
namespace {

constexpr int kPromptTokens = 8, kComparedTokens = 64;

}  // namespace

Matrix agreement_logits(const PaliGemma& model) {
  const std::vector<TokenId> tokens = bench_tokens(model, kPromptTokens + kComparedTokens);
  const std::span all(tokens);
  return model.score(model.encode(bench_images(model, 1)), all.first(kPromptTokens),
                     all.subspan(kPromptTokens));
}

Agreement agreement_of(const std::string& with, ConstMatrixView expected, ConstMatrixView actual) {
  Agreement agreement{.with = with, .tokens = expected.rows};
  double difference = 0, length = 0, other_length = 0, product = 0;
  int same = 0;
  for (int row = 0; row < expected.rows; ++row) {
    const auto a = expected.row(row), b = actual.row(row);
    for (std::size_t i = 0; i < a.size(); ++i) {
      difference += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
      length += double(a[i]) * a[i];
      other_length += double(b[i]) * b[i];
      product += double(a[i]) * b[i];
    }
    same += std::ranges::max_element(a) - a.begin() == std::ranges::max_element(b) - b.begin();
  }
  agreement.relative_error = std::sqrt(difference / length);
  agreement.cosine = product / std::sqrt(length * other_length);
  agreement.same_tokens = double(same) / expected.rows;
  return agreement;
}

}  // namespace palisade
