#include "tasks/metrics/caption_scores.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "base/eigen.h"
#include "tasks/metrics/python_text.h"

namespace palisade {
namespace {

constexpr double kSigma = 6;
constexpr double kCiderScale = 10;
constexpr double kRougeBeta = 1.2;
constexpr double kTiny = 1e-15, kSmall = 1e-9;  // of bleu_scorer, against division by zero

using PerLength = Eigen::Array<double, int(kCaptionWords), 1>;

struct NgramCount {
  std::uint32_t ngram = 0;
  double count = 0;
};

// How often each n-gram stands in a text, by its number. [kCaptionWords], each in the order of numbers
struct NgramCounts {
  std::array<std::vector<NgramCount>, kCaptionWords> of_length;
  std::size_t words = 0;
};

// Numbers n-grams as they come, and counts the pairs whose references have them.
class NgramBook {
 public:
  NgramCounts count(const std::string& text) {
    const std::vector<std::string> words = words_at_spaces(text);
    NgramCounts counts{.words = words.size()};
    for (std::size_t n = 1; n <= kCaptionWords; ++n) {
      std::vector<std::uint32_t> found;
      for (std::size_t i = 0; i + n <= words.size(); ++i) found.push_back(json_number_of(words, i, n));
      std::ranges::sort(found);
      std::vector<NgramCount>& list = counts.of_length[n - 1];
      for (const std::uint32_t ngram : found) {
        if (list.empty() || list.back().ngram != ngram) list.push_back({ngram, 0});
        ++list.back().count;
      }
    }
    return counts;
  }
  // The n-grams of one picture's references, each once.
  void add_document(std::span<const NgramCounts> references) {
    std::vector<std::uint32_t> all;
    for (const NgramCounts& counts : references) {
      for (const auto& list : counts.of_length) {
        for (const NgramCount& entry : list) all.push_back(entry.ngram);
      }
    }
    std::ranges::sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    for (const std::uint32_t ngram : all) ++documents_[ngram];
    ++count_;
  }
  // log N - log(documents with it), which is at most log N.
  double weight(std::uint32_t ngram) const {
    return std::log(double(count_)) - std::log(std::max(1.0, documents_[ngram]));
  }

 private:
  std::uint32_t json_number_of(const std::vector<std::string>& words, std::size_t first, std::size_t n) {
    std::string ngram;
    for (std::size_t i = first; i < first + n; ++i) ngram += words[i] + ' ';
    const auto [found, is_new] = numbers_.try_emplace(std::move(ngram), std::uint32_t(numbers_.size()));
    if (is_new) documents_.push_back(0);
    return found->second;
  }

  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<double> documents_;  // by number
  std::size_t count_ = 0;
};

struct CountedPair {
  NgramCounts prediction;
  std::vector<NgramCounts> references;
};

// The n-grams of a text with their weights, and the length of that vector.
struct WeightedText {
  std::array<std::vector<NgramCount>, kCaptionWords> of_length;
  PerLength norms = PerLength::Zero();
  double bigrams = 0;

  WeightedText(const NgramCounts& counts, const NgramBook& book) {
    for (std::size_t n = 0; n < kCaptionWords; ++n) {
      for (const NgramCount& entry : counts.of_length[n]) {
        const double weight = entry.count * book.weight(entry.ngram);
        of_length[n].push_back({entry.ngram, weight});
        norms[int(n)] += weight * weight;
        if (n == 1) bigrams += entry.count;
      }
    }
    norms = norms.sqrt();
  }
};

// Sums take(a, b) over the n-grams that both have.
template <typename Take>
double sum_over_common(const std::vector<NgramCount>& one, const std::vector<NgramCount>& other, Take take) {
  double sum = 0;
  auto right = other.begin();
  for (const NgramCount& left : one) {
    while (right != other.end() && right->ngram < left.ngram) ++right;
    if (right != other.end() && right->ngram == left.ngram) sum += take(left.count, right->count);
  }
  return sum;
}

struct CiderScores {
  double clipped = 0, plain = 0;
};

CiderScores cider_of(const CountedPair& pair, const NgramBook& book) {
  const WeightedText prediction(pair.prediction, book);
  CiderScores scores;
  for (const NgramCounts& counts : pair.references) {
    const WeightedText reference(counts, book);
    PerLength clipped, plain;
    for (int n = 0; n < int(kCaptionWords); ++n) {
      const auto& said = prediction.of_length[std::size_t(n)];
      const auto& right = reference.of_length[std::size_t(n)];
      clipped[n] = sum_over_common(said, right, [](double a, double b) { return std::min(a, b) * b; });
      plain[n] = sum_over_common(said, right, [](double a, double b) { return a * b; });
    }
    const PerLength norms = prediction.norms * reference.norms;
    const PerLength divided = (norms != 0).select(norms, PerLength::Ones());
    const double longer = prediction.bigrams - reference.bigrams;
    scores.clipped += (clipped / divided).mean() * std::exp(-longer * longer / (2 * kSigma * kSigma));
    scores.plain += (plain / divided).mean();
  }
  const auto count = double(pair.references.size());
  return {kCiderScale * scores.clipped / count, kCiderScale * scores.plain / count};
}

// What BLEU counts, of one caption or of many together.
struct BleuCounts {
  PerLength matches = PerLength::Zero();
  PerLength ngrams = PerLength::Zero();
  double length = 0, reference_length = 0;

  void add(const BleuCounts& other) {
    matches += other.matches;
    ngrams += other.ngrams;
    length += other.length;
    reference_length += other.reference_length;
  }
  BleuScores scores() const {
    BleuScores scores{};
    const double ratio = (length + kTiny) / (reference_length + kSmall);
    const double brevity = ratio < 1 ? std::exp(1 - 1 / ratio) : 1;
    double product = 1;
    for (int n = 0; n < int(kCaptionWords); ++n) {
      product *= (matches[n] + kTiny) / (ngrams[n] + kSmall);
      scores[std::size_t(n)] = std::pow(product, 1.0 / (n + 1)) * brevity;
    }
    return scores;
  }
};

BleuCounts bleu_counts(const CountedPair& pair) {
  BleuCounts counts;
  counts.length = double(pair.prediction.words);
  double nearest = -1;
  for (const NgramCounts& reference : pair.references) {
    const auto length = double(reference.words);
    const double distance = std::abs(length - counts.length), before = std::abs(nearest - counts.length);
    if (nearest < 0 || distance < before || (distance == before && length < nearest)) nearest = length;
  }
  counts.reference_length = nearest;
  for (std::size_t n = 0; n < kCaptionWords; ++n) {
    counts.ngrams[int(n)] = std::max(0.0, counts.length - double(n));
    std::unordered_map<std::uint32_t, double> most;  // in one reference
    for (const NgramCounts& reference : pair.references) {
      for (const NgramCount& entry : reference.of_length[n])
        most[entry.ngram] = std::max(most[entry.ngram], entry.count);
    }
    for (const NgramCount& entry : pair.prediction.of_length[n]) {
      const auto found = most.find(entry.ngram);
      if (found != most.end()) counts.matches[int(n)] += std::min(entry.count, found->second);
    }
  }
  return counts;
}

// ROUGE splits at single spaces, so that an empty text has one token, the empty one.
std::vector<std::string_view> tokens_of(std::string_view text) {
  std::vector<std::string_view> tokens;
  while (true) {
    const std::size_t space = text.find(' ');
    tokens.push_back(text.substr(0, space));
    if (space == std::string_view::npos) return tokens;
    text.remove_prefix(space + 1);
  }
}

std::size_t longest_common(const std::vector<std::string_view>& one,
                           const std::vector<std::string_view>& other) {
  std::vector<std::size_t> row(other.size() + 1);
  for (const std::string_view token : one) {
    std::size_t diagonal = 0;
    for (std::size_t i = 0; i < other.size(); ++i) {
      const std::size_t here = token == other[i] ? diagonal + 1 : std::max(row[i], row[i + 1]);
      diagonal = row[i + 1];
      row[i + 1] = here;
    }
  }
  return row.back();
}

double rouge_of(const CaptionPair& pair) {
  const std::vector<std::string_view> prediction = tokens_of(pair.prediction);
  double precision = 0, recall = 0;
  for (const std::string& text : pair.references) {
    const std::vector<std::string_view> reference = tokens_of(text);
    const auto common = double(longest_common(reference, prediction));
    precision = std::max(precision, common / double(prediction.size()));
    recall = std::max(recall, common / double(reference.size()));
  }
  if (precision == 0 || recall == 0) return 0;
  constexpr double kSquare = kRougeBeta * kRougeBeta;
  return (1 + kSquare) * precision * recall / (recall + kSquare * precision);
}

}  // namespace

CaptionScores score_captions(std::span<const CaptionPair> pairs) {
  NgramBook book;
  std::vector<CountedPair> counted;
  for (const CaptionPair& pair : pairs) {
    CountedPair& counts = counted.emplace_back();
    for (const std::string& reference : pair.references) counts.references.push_back(book.count(reference));
    counts.prediction = book.count(pair.prediction);
    book.add_document(counts.references);
  }
  CaptionScores scores;
  BleuCounts all;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const BleuCounts counts = bleu_counts(counted[i]);
    const CiderScores cider = cider_of(counted[i], book);
    const CaptionScore score{cider.clipped, cider.plain, counts.scores(), rouge_of(pairs[i])};
    all.add(counts);
    scores.corpus.cider += score.cider / double(pairs.size());
    scores.corpus.cider_plain += score.cider_plain / double(pairs.size());
    scores.corpus.rouge_l += score.rouge_l / double(pairs.size());
    scores.captions.push_back(score);
  }
  if (!pairs.empty()) scores.corpus.bleu = all.scores();
  return scores;
}

}  // namespace palisade
