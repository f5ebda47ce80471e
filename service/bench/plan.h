#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "service/bench/figures.h"
#include "service/bench/planned_load.h"
#include "service/settings/settings.h"

namespace palisade {

// What each adapter of a configuration costs, by its folder.
using AdapterCosts = std::map<std::filesystem::path, AdapterCost>;

// The load that a configuration puts on this machine, and what becomes of it.
struct Plan {
  std::string model;
  std::string precision = "f32";
  PlanAssumptions assumptions;
  Figures figures;
  AdapterCosts adapters = {};
  double together = 1;               // answers that are stepped as one batch, on average
  SimulatedLoad asked;               // on an engine that takes no time
  SimulatedLoad answered;            // on this machine's engine
  std::vector<std::string> unknown;  // what was assumed and may differ

  // Seconds of the engine for each second; a machine carries 1.
  double load() const { return asked.total().total() / asked.seconds; }
};

// Counts a prompt's tokens, with <bos> and newline.
using PromptLength = std::function<int(const std::string& prompt)>;

// All prompt lengths that can occur, in positions: of every task, as configured and degraded.
std::vector<int> planned_lengths(const Settings& settings, int image_tokens, const PromptLength& length);

Plan make_plan(const Settings& settings, const PlanAssumptions& assumptions, const Figures& figures,
               int image_tokens, const PromptLength& length, const AdapterCosts& adapters = {});

std::string table_of(const Plan& plan);  // a table for a terminal
Json json_of(const Plan& plan);

}  // namespace palisade
