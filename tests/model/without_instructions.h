#pragma once

#include <hwy/highway.h>

#include <cstdint>

namespace palisade::test {

// Pretends that the CPU lacks some of Highway's targets.
struct WithoutInstructions {
  explicit WithoutInstructions(std::int64_t targets) { take(targets); }
  ~WithoutInstructions() { take(0); }
  WithoutInstructions(const WithoutInstructions&) = delete;
  WithoutInstructions& operator=(const WithoutInstructions&) = delete;

 private:
  static void take(std::int64_t targets) {
    hwy::DisableTargets(targets);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

}  // namespace palisade::test
