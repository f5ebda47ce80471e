#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "model/train/tensors.h"
#include "service/settings/settings.h"

namespace palisade {

// The parts of the model that are trained; freeze_vit excludes the image encoder from `all`.
enum class TrainedParts { kAll, kLanguageModel, kProjection };

// What a transfer with lora_rank writes at its end: the adapter alone, the model with the adapter in its
// weights, or both.
enum class LoraOutput { kBoth, kAdapter, kModel };

// The learning rate's course after its warm-up (see Schedule).
enum class RateCourse { kCosine, kInverseRoot };

// A transfer: what is trained on what, and the recipe (PaliGemma, arXiv 2407.07726, transfers). The first
// eight are the hyper-parameters in decreasing order of importance.
struct TransferSettings {
  int resolution = 0;  // pixels a side; 0: the model's own
  double epochs = 1;
  double learning_rate = 1e-5;
  double label_smoothing = 0;
  double llm_dropout = 0;
  double weight_decay = 0;
  bool freeze_vit = false;
  int beams = 1;  // of the final evaluation

  std::filesystem::path model;
  std::filesystem::path data;        // JSONL
  std::filesystem::path mixture;     // in place of data and evaluation: YAML, see read_mixture()
  std::filesystem::path evaluation;  // JSONL; empty: none
  std::filesystem::path filters;     // of the data, YAML (see FilterSettings); empty: none
  double examples = 0;               // number seen in all, instead of epochs
  int batch_size = 64;
  int examples_at_once = 8;  // of a pass; gradients of a batch's passes add up
  int text_length = 64;      // longest <bos> prefix "\n" suffix, in tokens
  double warmup = 0.05;      // share of all steps
  double image_warmup = 0;   // of the image encoder, where it is longer (stage 1)
  RateCourse schedule = RateCourse::kCosine;
  double timescale = 10'000;  // of kInverseRoot, in steps
  double schedule_shift = 0;  // likewise: steps that stages before have done
  TrainedParts parts = TrainedParts::kAll;
  int lora_rank = 0;  // above 0: adapters are trained instead of the towers' weights
  LoraOutput lora_output = LoraOutput::kBoth;
  std::string resize;  // a preset; empty: the model's own
  int frames = 16;     // of a video
  int frame_step = 1;
  int picture_memory_mb = 1024;  // for pictures and frames that are kept resized from epoch to epoch
  bool allow_empty_suffix = false;
  int seed = 0;
  int evaluate_every = 0;          // steps; 0: at the end alone
  std::string metric;              // of the evaluation, whose best step becomes the model; empty: none
  bool lower = false;              // the metric compares in lower case
  int patience = 0;                // evaluations without a better score after which training ends; 0: any
  int checkpoint_every = 0;        // steps; 0: by time alone
  double checkpoint_minutes = 10;  // longest time between two checkpoints; 0: by steps alone

  std::vector<ModelPart> trained_parts() const;
  bool trains(ModelPart part) const;
};

struct YamlNode;
struct Problem;

// Reads a recipe over `settings`; relative paths are relative to its folder. Throws SettingsError.
void read_recipe(std::string_view text, const std::filesystem::path& file, TransferSettings& settings);
void read_recipe(const YamlNode& root, const std::filesystem::path& folder, TransferSettings& settings,
                 std::vector<Problem>& problems);
// The inverse of read_recipe().
std::string recipe_text(const TransferSettings& settings);
// Checks the settings as a whole. Throws SettingsError naming keys of the recipe.
void check(const TransferSettings& settings);

}  // namespace palisade
