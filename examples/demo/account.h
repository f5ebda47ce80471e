#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "examples/world/score.h"
#include "examples/world/truth_file.h"

namespace palisade::world {

// One caption and the truth about the pictures that the model saw.
struct Judgement {
  std::string stream;
  std::vector<double> times;  // wall times of the pictures in seconds, as the event states them
  std::string said;
  std::optional<std::string> truth;  // nothing if the truth file does not cover the window
  Difference difference;             // empty without truth
  bool exact = false;
  bool by_sender = false;  // all times are of the camera's clock
};

// Compares the caption events of a demo with the cameras' truth files, and keeps the score. Not thread-safe.
class Account {
 public:
  explicit Account(const std::filesystem::path& truth) : truth_(truth) {}

  // Judges an event of a caption task. Throws if it does not conform to service/schema/answer.v1.json.
  Judgement judge(const nlohmann::json& event);
  const Score& score() const { return score_; }
  // Captions without known truth, which are not part of the score.
  int unjudged() const { return unjudged_; }

 private:
  TruthReader truth_;
  Score score_;
  int unjudged_ = 0;
};

// Seconds since 1970 of "2026-11-23T09:05:24.123Z". Throws std::runtime_error for any other format.
double seconds_of(const std::string& time);

}  // namespace palisade::world
