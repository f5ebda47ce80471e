#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "model/tensor/matrix.h"
#include "model/token_id.h"

namespace palisade {

// One comparison with the reference data, or one that this build cannot make.
struct Check {
  std::string case_name;
  std::string tensor;
  double max_abs = 0;  // largest difference; for ids and bytes the number that differ
  double tolerance = 0;
  bool ok = false;
  std::string skipped;  // the reason; empty for a comparison that was made
};

// Counts checks and hands each on as it is made.
class VerificationReport {
 public:
  using Sink = std::function<void(const Check&)>;
  explicit VerificationReport(Sink sink) : sink_(std::move(sink)) {}

  void begin(std::string case_name) { case_name_ = std::move(case_name); }
  void compare(std::string_view tensor, std::span<const float> expected, std::span<const float> actual,
               double tolerance);
  void compare_ids(std::string_view tensor, std::span<const TokenId> expected,
                   std::span<const TokenId> actual);
  void compare_bytes(std::string_view tensor, std::span<const std::byte> expected,
                     std::span<const std::byte> actual);
  void compare_text(std::string_view tensor, std::string_view expected, std::string_view actual);
  // A check that failed without a number: missing file, error while running.
  void fail(std::string_view tensor, const std::string& why);
  void skip(std::string_view tensor, const std::string& reason);

  int passed() const { return passed_; }
  int failed() const { return failed_; }
  int skipped() const { return skipped_; }

 private:
  void add(Check check);
  Sink sink_;
  std::string case_name_;
  int passed_ = 0;
  int failed_ = 0;
  int skipped_ = 0;
};

}  // namespace palisade
