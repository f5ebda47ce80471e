#include "service/settings/settings_gate.h"

#include <doctest/doctest.h>

using namespace palisade;
using namespace std::chrono_literals;

namespace {

Settings settings_with(const std::string& keys) {
  return parse_settings(
      "streams:\n  - name: a\n    url: rtsp://camera/x\n    tasks: [{task: caption}]\n" + keys, "f.yaml");
}

std::string problem_of(const std::string& keys) {
  try {
    settings_with(keys);
  } catch (const SettingsError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("masks and gates arrive, and are off where nothing is said") {
  const StreamSettings stream =
      settings_with(R"(    masks: [[0, 0, 0.25, 0.5], [[0.5, 0.5], [1, 0.5], [0.75, 1]]]
    gate: {motion: true, semantic: 0.985, longest_silence: 2m, region: [[0, 0.5, 1, 1]]}
)")
          .streams[0];
  REQUIRE(stream.masks.size() == 2);
  CHECK(stream.masks[0] == box_polygon({0, 0}, {0.25, 0.5}));
  CHECK(stream.masks[1] == Polygon{{0.5, 0.5}, {1, 0.5}, {0.75, 1}});
  CHECK(stream.gate.motion);
  CHECK(stream.gate.semantic == 0.985);
  CHECK(stream.gate.longest_silence == 2min);
  CHECK(stream.gate.region.size() == 1);
  CHECK(gate_summary(stream) ==
        "  2 masked, asked where something moves in its region, asked where likeness falls below 0.985, "
        "at least every 2m\n");
  const StreamSettings plain = settings_with("").streams[0];
  CHECK(plain.masks.empty());
  CHECK_FALSE(plain.gate.motion);
  CHECK_FALSE(plain.gate.semantic);
  CHECK(gate_summary(plain).empty());
  CHECK_FALSE(settings_with("    gate: {motion: true, semantic: off}\n").streams[0].gate.semantic);
}

TEST_CASE("a mask that is none is told, with its place: nobody is to believe that something is hidden") {
  for (const char* const masks :
       {"[[0, 0, 0.2]]", "[[0.5, 0, 0.2, 1]]", "[[0, 0, 20, 30]]", "[[[0, 0], [1, 1]]]",
        "[[[0, 0], [1], [1, 1]]]", "[x]", "[[0, 0, nan, 1]]", "[[0, 0, 1e400, 1]]", "[]", "{}", "0",
        "[[0, 0, '0.5', 1]]", "[[-0.1, 0, 1, 1]]"}) {
    CAPTURE(masks);
    CHECK(problem_of(std::string("    masks: ") + masks + "\n").find("f.yaml:5:") != std::string::npos);
  }
}

TEST_CASE("a gate's faults are told with their remedy") {
  const auto gate_problem = [](const std::string& gate) { return problem_of("    gate: " + gate + "\n"); };
  CHECK(gate_problem("{semantic: 1.5}").find("a number from 0 to 1") != std::string::npos);
  CHECK(gate_problem("{semantic: 0.1}").find("0.5 to 0.9999") != std::string::npos);
  CHECK(gate_problem("{motion: maybe}").find("true or false") != std::string::npos);
  CHECK(gate_problem("{motion: true, longest_silence: 1ms}").find("at least 1s") != std::string::npos);
  CHECK(gate_problem("{longest_silence: 10s}").find("keeps nothing back") != std::string::npos);
  CHECK(gate_problem("{region: [[0, 0, 1, 1]]}").find("add motion: true") != std::string::npos);
  CHECK(gate_problem("{motoin: true}").find("did you mean motion?") != std::string::npos);
  CHECK(gate_problem("true").find("a gate is a map") != std::string::npos);
}

TEST_CASE("policy motion is for windows of many frames") {
  const std::string stream = "streams:\n  - name: a\n    url: rtsp://camera/x\n    tasks: [";
  CHECK(parse_settings(stream + "{task: caption, frames: 16, policy: motion}]\n", "f")
            .streams[0]
            .tasks[0]
            .sampling.policy == SamplingPolicy::kMotion);
  CHECK_THROWS_WITH_AS(parse_settings(stream + "{task: caption, frames: 1, policy: motion}]\n", "f.yaml"),
                       doctest::Contains("needs frames: 16"), SettingsError);
}
