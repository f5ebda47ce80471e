#include "model/precision.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <limits>

#include "model/linear.h"

namespace palisade {
namespace {

struct Named {
  Precision precision;
  std::string_view name;
};
constexpr Named kNamed[] = {{Precision::kF32, "f32"}, {Precision::kBf16, "bf16"}, {Precision::kInt8, "int8"}};

// Seconds of the quickest of some runs: what the neighbours on the machine disturbed does not count.
double quickest_product(int rows, int width, Precision precision) {
  constexpr int kRuns = 5;
  Matrix x(rows, width), y(rows, width), weight(width, width);
  for (Matrix* const matrix : {&x, &weight}) {
    for (std::size_t i = 0; i < matrix->size(); ++i) matrix->data()[i] = float(i % 17) - 8;
  }
  const Linear linear(weight, {}, precision);
  linear(x, y);  // prepares it
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run < kRuns; ++run) {
    const auto begun = std::chrono::steady_clock::now();
    linear(x, y);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  }
  return best;
}

}  // namespace

std::string_view name_of(Precision precision) {
  return std::ranges::find(kNamed, precision, &Named::precision)->name;
}

bool read_precision(std::string_view text, PrecisionChoice& choice) {
  const auto named = std::ranges::find(kNamed, text, &Named::name);
  if (named == std::end(kNamed) && text != "auto") return false;
  choice = text == "auto" ? PrecisionChoice() : named->precision;
  return true;
}

PrecisionTrial try_precisions() {
  constexpr int kRows = 256, kWidth = 2048;
  PrecisionTrial trial;
  double least = std::numeric_limits<double>::infinity();
  for (const Named& named : kNamed) {
    char text[64];
    if (has_products(named.precision)) {
      const double seconds = quickest_product(kRows, kWidth, named.precision);
      if (seconds < least) trial.fastest = named.precision;
      least = std::min(least, seconds);
      std::snprintf(text, sizeof text, "%s %.1f ms", named.name.data(), seconds * 1e3);
    } else {
      std::snprintf(text, sizeof text, "no %s", named.name.data());
    }
    trial.measured += (trial.measured.empty() ? "" : ", ") + std::string(text);
  }
  trial.measured +=
      " for " + std::to_string(kRows) + " rows of " + std::to_string(kWidth) + " x " + std::to_string(kWidth);
  return trial;
}

}  // namespace palisade
