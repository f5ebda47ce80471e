#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "examples/world/score.h"
#include "examples/world/truth_file.h"

namespace palisade::world {

// One caption beside what the simulated world really showed in the pictures that the model saw.
struct Judgement {
  std::string stream;
  std::vector<double> times;  // of the pictures, wall time in seconds, from the event itself
  std::string said;
  std::optional<std::string> truth;  // nothing where the truth file does not reach
  Difference difference;             // empty without truth
  bool exact = false;
  bool by_sender = false;  // the camera's own clock timed every picture
};

// The account of a demo: judges caption events against the cameras' truth, and adds up. Used by one thread.
class Account {
 public:
  explicit Account(const std::filesystem::path& truth) : truth_(truth) {}

  // `event` is of a caption task. Throws where it lacks what service/schema/answer.v1.json requires.
  Judgement judge(const nlohmann::json& event);
  const Score& score() const { return score_; }
  // Captions for whose window the truth is not known; they are in no score.
  int unjudged() const { return unjudged_; }

 private:
  TruthReader truth_;
  Score score_;
  int unjudged_ = 0;
};

// "2026-11-23T09:05:24.123Z" in seconds since 1970. Throws std::runtime_error for anything else.
double seconds_of(const std::string& time);

}  // namespace palisade::world
