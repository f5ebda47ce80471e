#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

namespace palisade {

// A picture's caption and what people wrote of it, tokenised: tokens joined by a space.
struct CaptionPair {
  std::string prediction;
  std::vector<std::string> references;  // one or more
};

inline constexpr std::size_t kCaptionWords = 4;  // n-grams of 1 to 4 words
using BleuScores = std::array<double, kCaptionWords>;

struct CaptionScore {
  double cider = 0;        // CIDEr-D: n-grams clipped, sigma 6
  double cider_plain = 0;  // neither clipped nor less for a difference in length
  BleuScores bleu{};       // BLEU-1 to 4
  double rouge_l = 0;
};

struct CaptionScores {
  std::vector<CaptionScore> captions;  // in the order of the pairs
  CaptionScore corpus;                 // means; BLEU of all counts together
};

// The scores of pycocoevalcap 1.2, and cider_plain of pyciderevalcap. How much an n-gram weighs depends on
// all pairs: where all have the same references CIDEr is 0.
CaptionScores score_captions(std::span<const CaptionPair> pairs);

}  // namespace palisade
