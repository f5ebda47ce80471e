// libFuzzer's entry point, which runs the target that PALISADE_FUZZ_TARGET names.
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/targets.h"

namespace {

const palisade::fuzz::Target* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* const name = std::getenv("PALISADE_FUZZ_TARGET");
  for (const auto& target : palisade::fuzz::targets()) {
    if (name != nullptr && target.name == name) chosen = &target;
  }
  if (chosen != nullptr) return 0;
  std::fprintf(stderr, "PALISADE_FUZZ_TARGET must be one of:");
  for (const auto& target : palisade::fuzz::targets())
    std::fprintf(stderr, " %s", std::string(target.name).c_str());
  std::fprintf(stderr, "\n");
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  chosen->run({bytes, size});
  return 0;
}
