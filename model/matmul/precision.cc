#include "model/matmul/precision.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <limits>
#include <vector>

#include "base/format.h"
#include "model/matmul/bare_matmul.h"
#include "model/matmul/linear.h"

namespace palisade {
namespace {

struct PrecisionName {
  Precision precision;
  std::string_view name;
};
constexpr PrecisionName kNamed[] = {
    {Precision::kF32, "f32"}, {Precision::kBf16, "bf16"}, {Precision::kInt8, "int8"}};

constexpr int kTrialRows = 256, kTrialWidth = 2048, kTrials = 6;

struct Contender {
  Precision precision;
  Linear linear;
  double seconds = std::numeric_limits<double>::infinity();  // of the quickest trial
};

}  // namespace

std::string_view name_of(Precision precision) {
  return std::ranges::find(kNamed, precision, &PrecisionName::precision)->name;
}

std::vector<Precision> precisions_here() {
  std::vector<Precision> here;
  for (const PrecisionName& named : kNamed) {
    if (has_matmul(named.precision)) here.push_back(named.precision);
  }
  return here;
}

bool read_precision(std::string_view text, PrecisionChoice& choice) {
  const auto named = std::ranges::find(kNamed, text, &PrecisionName::name);
  if (named == std::end(kNamed) && text != "auto") return false;
  choice = text == "auto" ? PrecisionChoice() : named->precision;
  return true;
}

PrecisionTrial try_precisions() {
  Matrix x(kTrialRows, kTrialWidth), y(kTrialRows, kTrialWidth), weight(kTrialWidth, kTrialWidth);
  for (Matrix* const matrix : {&x, &weight}) {
    for (std::size_t i = 0; i < matrix->size(); ++i) matrix->data()[i] = float(i % 17) - 8;
  }
  std::vector<Contender> contenders;
  for (const Precision precision : precisions_here()) {
    contenders.push_back({precision, Linear(weight, {}, precision)});
    contenders.back().linear(x, y);  // prepares it
  }
  // In turn, so that what else the machine does meets all of them; the quickest trial was disturbed least.
  for (int trial = 0; trial < kTrials; ++trial) {
    for (Contender& contender : contenders) {
      const auto begun = std::chrono::steady_clock::now();
      contender.linear(x, y);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
      contender.seconds = std::min(contender.seconds, took.count());
    }
  }
  PrecisionTrial result{.fastest = std::ranges::min_element(contenders, {}, &Contender::seconds)->precision};
  for (const Contender& contender : contenders) {
    result.measured += format("{}{} {:.1f} ms", result.measured.empty() ? "" : ", ",
                              name_of(contender.precision), contender.seconds * 1e3);
  }
  result.measured += format(" for {} rows of {} x {}", kTrialRows, kTrialWidth, kTrialWidth);
  return result;
}

}  // namespace palisade
