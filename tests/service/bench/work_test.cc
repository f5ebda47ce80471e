#include "service/bench/work.h"

#include <doctest/doctest.h>

#include "model/config/model_shapes.h"

using namespace palisade;

TEST_CASE("a step of one sequence reads every weight of the language model once") {
  const ModelConfig config = config_of_shape("paligemma-3b-224").value();
  const Work one = work_of_step(config, 1, 0, 1), eight = work_of_step(config, 8, 0, 1);
  // 18 x (2048 x 2560 + 2048 x 2048 + 3 x 2048 x 16384) and a head of 257,216 x 2048.
  const double weights = 18 * (2048.0 * 2560 + 2048.0 * 2048 + 3 * 2048.0 * 16384) + 257216.0 * 2048;
  const double position = 18 * 2 * 256 * 4;  // keys and values, f32
  CHECK(one.bytes() == doctest::Approx(weights + position));
  CHECK(one.linear_operations == doctest::Approx(2 * weights));
  CHECK(eight.linear_operations == doctest::Approx(8 * one.linear_operations));
  CHECK(eight.bytes() - one.bytes() == doctest::Approx(7 * position));
  CHECK(work_of_step(config, 1, 0, 4).bytes() == doctest::Approx(4 * weights + position));
}

TEST_CASE("a prefill of 4,112 positions is 15.5 T operations of matmuls and 2.4 T of attention") {
  const Work work = work_of_prefill(config_of_shape("paligemma-3b-224").value(), 4112, 4);
  // 18 layers of queries, keys and values, and 17 of the rest, because in the last layer only one row goes
  // on.
  const double qkv = 2048.0 * 2560, rest = 2048.0 * 2048 + 3 * 2048.0 * 16384;
  CHECK(work.linear_operations == doctest::Approx(2 * 4112 * (18 * qkv + 17 * rest)).epsilon(0.001));
  CHECK(work.linear_operations == doctest::Approx(15.5e12).epsilon(0.01));
  CHECK(work.attention_operations == doctest::Approx(4.0 * 4112 * 4112 * 2048 * 17).epsilon(0.001));
}

TEST_CASE("sixteen images are sixteen times the operations of one, on the same weights") {
  const ModelConfig config = config_of_shape("paligemma-3b-224").value();
  const Work one = work_of_encode(config, 1, 4), sixteen = work_of_encode(config, 16, 4);
  CHECK(sixteen.operations() == doctest::Approx(16 * one.operations()));
  CHECK(sixteen.bytes() == one.bytes());
  // 4 x 1152^2 + 2 x 1152 x 4304 a layer.
  CHECK(one.bytes() / 4 ==
        doctest::Approx(27 * (4 * 1152.0 * 1152 + 2 * 1152.0 * 4304) + 1152.0 * (3 * 14 * 14 + 2048)));
}
