#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "service/bench/figures.h"
#include "service/bench/planned_load.h"
#include "service/settings/settings.h"

namespace palisade {

// What a configuration will ask of this machine, and what becomes of it.
struct Plan {
  std::string model;
  std::string precision = "f32";
  PlanAssumptions assumptions;
  Figures figures;
  double together = 1;               // answers that are decoded as one batch, on average
  SimulatedLoad asked;               // on an engine without end
  SimulatedLoad answered;            // on this one
  std::vector<std::string> unknown;  // what could make it less, or more

  // Engine seconds a second; the machine carries 1.
  double load() const { return asked.total().total() / asked.seconds; }
};

// Counts a prompt's tokens, <bos> and newline among them.
using PromptLength = std::function<int(const std::string& prompt)>;

// The prompt lengths that can occur, in positions: of all tasks, as configured and degraded.
std::vector<int> planned_lengths(const Settings& settings, int image_tokens, const PromptLength& length);

Plan make_plan(const Settings& settings, const PlanAssumptions& assumptions, const Figures& figures,
               int image_tokens, const PromptLength& length);

std::string table_of(const Plan& plan);  // lines for people
Json json_of(const Plan& plan);

}  // namespace palisade
