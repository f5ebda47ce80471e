#include "service/verify/report.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace palisade {
namespace {

constexpr double kNotComparable = std::numeric_limits<double>::infinity();

// How many elements differ; every missing or surplus element counts.
template <typename T>
double differing(std::span<const T> expected, std::span<const T> actual) {
  const std::size_t common = std::min(expected.size(), actual.size());
  double count = double(std::max(expected.size(), actual.size()) - common);
  for (std::size_t i = 0; i < common; ++i) count += expected[i] != actual[i];
  return count;
}

}  // namespace

void VerificationReport::add(Check check) {
  check.case_name = case_name_;
  if (!check.skipped.empty()) {
    ++skipped_;
  } else if (check.ok) {
    ++passed_;
  } else {
    ++failed_;
  }
  sink_(check);
}

void VerificationReport::compare(std::string_view tensor, std::span<const float> expected,
                                 std::span<const float> actual, double tolerance) {
  Check check{.tensor = std::string(tensor), .tolerance = tolerance};
  if (expected.size() != actual.size()) check.max_abs = kNotComparable;
  for (std::size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
    const double difference = std::abs(double(expected[i]) - double(actual[i]));
    // A NaN is a difference too.
    if (!(difference <= check.max_abs)) check.max_abs = std::isnan(difference) ? kNotComparable : difference;
  }
  check.ok = check.max_abs <= tolerance;
  add(std::move(check));
}

void VerificationReport::compare_ids(std::string_view tensor, std::span<const TokenId> expected,
                                     std::span<const TokenId> actual) {
  const double count = differing(expected, actual);
  add({.tensor = std::string(tensor), .max_abs = count, .ok = count == 0});
}

void VerificationReport::compare_bytes(std::string_view tensor, std::span<const std::byte> expected,
                                       std::span<const std::byte> actual) {
  const double count = differing(expected, actual);
  add({.tensor = std::string(tensor), .max_abs = count, .ok = count == 0});
}

void VerificationReport::compare_text(std::string_view tensor, std::string_view expected,
                                      std::string_view actual) {
  compare_bytes(tensor, std::as_bytes(std::span(expected)), std::as_bytes(std::span(actual)));
}

void VerificationReport::fail(std::string_view tensor, const std::string& why) {
  add({.tensor = std::string(tensor) + ": " + why, .max_abs = kNotComparable});
}

void VerificationReport::skip(std::string_view tensor, const std::string& reason) {
  add({.tensor = std::string(tensor), .skipped = reason});
}

}  // namespace palisade
