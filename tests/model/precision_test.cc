#include "model/matmul/precision.h"

#include <doctest/doctest.h>

#include "model/matmul/bare_matmul.h"

using namespace palisade;

TEST_CASE("a precision is named as it is read, and auto is none yet") {
  for (const char* const name : {"f32", "bf16", "int8"}) {
    PrecisionChoice choice;
    REQUIRE(read_precision(name, choice));
    CHECK(name_of(*choice) == name);
  }
  PrecisionChoice choice = Precision::kF32;
  CHECK(read_precision("auto", choice));
  CHECK(!choice);
  choice = Precision::kBf16;
  CHECK(!read_precision("fp8", choice));
  CHECK(choice == Precision::kBf16);
}

TEST_CASE("the precision tried to be fastest is one that this CPU has") {
  const PrecisionTrial trial = try_precisions();
  MESSAGE(trial.measured);
  CHECK(has_matmul(trial.fastest));
  CHECK(trial.measured.starts_with("f32 "));
}
