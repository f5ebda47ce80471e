#include "service/streams/clip_gate.h"

#include <doctest/doctest.h>

#include <limits>

using namespace palisade;
using namespace std::chrono_literals;

namespace {

// Features of 64 tokens along one axis, of which `changed` are turned towards another axis.
ImageFeatures features(int changed = 0, float amount = 1) {
  auto matrix = std::make_shared<Matrix>(64, 16);
  for (int token = 0; token < 64; ++token) {
    std::ranges::fill(matrix->row(token), 0.0f);
    matrix->row(token)[0] = 2;
    if (token < changed) matrix->row(token)[1] = 2 * amount;
  }
  return matrix;
}

Clip clip_at(MediaTime end, std::optional<bool> moving = {}) {
  Clip clip{.frames = std::vector<Frame>(1), .moving = moving};
  clip.frames[0].stamp.pts = end;
  return clip;
}

ClipGate::Verdict compare(ClipGate& gate, MediaTime end, ImageFeatures seen) {
  return gate.compare(clip_at(end), {&seen, 1});
}

}  // namespace

TEST_CASE("windows are as alike as the least alike patches of their least alike frames") {
  using Window = std::vector<ImageFeatures>;
  CHECK(similarity(Window{features()}, Window{features()}).value() == doctest::Approx(1));
  CHECK(similarity(Window{features()}, Window{features(1)}).value() == doctest::Approx(0.7071).epsilon(1e-3));
  CHECK(similarity(Window{features(), features()}, Window{features(), features(1)}).value() < 0.75);
  CHECK_FALSE(similarity(Window{features()}, Window{features(), features()}));
  CHECK_FALSE(similarity(Window{}, Window{}));
  CHECK_FALSE(similarity(Window{features()}, Window{std::make_shared<Matrix>(4, 16)}));
}

TEST_CASE("features that are no numbers are like nothing") {
  auto broken = std::make_shared<Matrix>(64, 16);
  std::fill_n(broken->data(), broken->size(), std::numeric_limits<float>::quiet_NaN());
  ClipGate gate({.semantic = 0.98});
  CHECK_FALSE(compare(gate, 1s, features()).unchanged);
  CHECK_FALSE(compare(gate, 2s, broken).unchanged);
  CHECK_FALSE(compare(gate, 3s, features()).unchanged);
}

TEST_CASE("what means the same as at the last answer is unchanged, however slowly it drifts away from it") {
  ClipGate gate({.semantic = 0.98});
  CHECK_FALSE(compare(gate, 1s, features()).unchanged);
  int asked = 0;
  for (int step = 1; step <= 20; ++step) {
    asked += !compare(gate, 1s + step * 1s, features(1, 0.05f * float(step))).unchanged;
  }
  CHECK(asked >= 3);
  CHECK(asked <= 8);
}

TEST_CASE("after a change more likeness is asked for than to stay unchanged") {
  // A cosine of 0.982 is above the threshold, but below the one after a change (0.985).
  const float amount = 0.192f;
  ClipGate gate({.semantic = 0.98});
  CHECK_FALSE(compare(gate, 1s, features()).unchanged);
  CHECK_FALSE(compare(gate, 2s, features(1, amount)).unchanged);
  CHECK(compare(gate, 3s, features(1, amount)).unchanged);
  CHECK(compare(gate, 4s, features()).unchanged);
}

TEST_CASE("after the longest silence the model is asked anyway, and at once on a new connection") {
  ClipGate gate({.motion = true, .semantic = 0.98, .longest_silence = 10s});
  CHECK(gate.passes(clip_at(1s, true)));
  CHECK_FALSE(compare(gate, 1s, features()).unchanged);
  CHECK_FALSE(gate.passes(clip_at(5s, false)));
  CHECK(gate.passes(clip_at(6s, true)));
  CHECK(compare(gate, 6s, features()).unchanged);  // does not end the silence
  CHECK_FALSE(gate.passes(clip_at(10s, false)));
  CHECK(gate.passes(clip_at(11s, false)));
  CHECK_FALSE(compare(gate, 11s, features()).unchanged);
  CHECK_FALSE(gate.passes(clip_at(12s, false)));
  CHECK(gate.passes(clip_at(2s, false)));
  CHECK_FALSE(compare(gate, 2s, features()).unchanged);
}

TEST_CASE("the motion gate alone keeps back what does not move, and lets pass what nobody looked at") {
  ClipGate gate({.motion = true, .longest_silence = 10s});
  CHECK(gate.passes(clip_at(1s, true)));
  CHECK_FALSE(gate.passes(clip_at(5s, false)));
  CHECK(gate.passes(clip_at(6s)));
  CHECK_FALSE(gate.passes(clip_at(15s, false)));
  CHECK(gate.passes(clip_at(16s, false)));
  CHECK_FALSE(compare(gate, 16s, features()).unchanged);
}

TEST_CASE("without the semantic gate nothing is compared, and a failed answer holds for nothing") {
  ClipGate motion({.motion = true});
  CHECK_FALSE(compare(motion, 1s, features()).similarity);
  ClipGate gate({.semantic = 0.98});
  compare(gate, 1s, features());
  gate.forget();
  CHECK_FALSE(compare(gate, 2s, features()).unchanged);
}
