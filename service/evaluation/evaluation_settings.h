#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"

namespace palisade {

// What is evaluated, and of a recipe what answers and scores depend on.
struct EvaluationSettings {
  std::filesystem::path data;     // JSONL
  std::filesystem::path model;    // folder
  std::filesystem::path adapter;  // folder; empty: none
  std::string precision;          // as --precision; empty: f32
  std::string sliding_window;     // as --sliding-window; empty: transformers
  std::string calibration;        // as --calibration; empty: the model folder's own
  std::string task;               // "nlvr2_224", a row of transfer_configs.csv; empty: none
  std::string metric = "exact";   // of lines that name none
  bool lower = false;             // answers and references are compared in lower case, where it matters
  std::string resize;             // a preset; empty: the model's own
  int frames = 16;                // of a video
  int frame_step = 1;
  int beams = 1;
  int max_new_tokens = 0;              // 0: as the task of each prompt has it
  std::filesystem::path mask_decoder;  // for metrics of masks; empty: none

  bool operator==(const EvaluationSettings&) const = default;
};

// As evaluation.json keeps them, paths absolute; and back. Throws Error, which begins with `what`.
Json to_json(const EvaluationSettings& settings);
EvaluationSettings evaluation_settings_of(const Json& json, const std::string& what);

}  // namespace palisade
