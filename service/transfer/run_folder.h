#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/train/optimizer.h"
#include "service/transfer/data_filter.h"
#include "service/transfer/input_files.h"
#include "service/transfer/transfer_settings.h"

namespace palisade {

// What a transfer leaves on the disk:
//   recipe.yaml              its settings, complete
//   removed.jsonl            where it has filters, which examples they left out, and why
//   inputs.sha256            the pictures and films that it learns from, as sha256sum -c checks them
//   metrics.jsonl            a line a step, and one an evaluation
//   curves.svg               the same as a picture
//   best.safetensors         where it has a metric, the trained weights of the best evaluation so far
//   checkpoint.safetensors   where it can go on: trained weights, Adam's moments, the steps done, and of a
//                            step that is not done yet what its passes so far came to
//   adapter/                 at the end, where lora_rank says so, as PEFT writes it
//   model/                   at the end, in Hugging Face layout
// Each file but the metrics appears whole or not at all, so a killed process leaves the last checkpoint as it
// was. Throws Error naming the file.
class RunFolder {
 public:
  // Of the examples of one part of a mixture.
  struct PartLoss {
    double sum = 0;
    int examples = 0;
  };
  // Progress within a step of several passes: passes done, their share of the step's loss, and where there is
  // a mixture, the losses of each part.
  struct StepPart {
    int passes = 0;
    double loss = 0;
    std::vector<PartLoss> parts = {};
  };
  // Identifies a checkpoint: the hash of the training data, and steps_recipe().
  struct Origin {
    std::string data;
    std::string recipe;
  };

  explicit RunFolder(const std::filesystem::path& path) : path_(path) {}

  // Throws UsageError where the folder holds something else, or a run although `resumed` is false.
  void require_fit(bool resumed) const;
  void make() const;
  // Creates the folder and writes the recipe.
  void begin(const TransferSettings& settings) const;
  void tell_removed(const std::vector<RemovedLine>& removed) const;
  TransferSettings settings() const;  // throws SettingsError too
  // Where a model is written that is being evaluated.
  std::filesystem::path evaluated() const { return path_ / "evaluated"; }
  std::filesystem::path model() const { return path_ / "model"; }
  std::filesystem::path adapter() const { return path_ / "adapter"; }
  std::string name() const;

  const std::filesystem::path& path() const { return path_; }
  bool exists() const;
  bool was_begun() const;
  // Empty where no hashes were written.
  FileHashes inputs() const;
  void tell_inputs(const FileHashes& inputs) const;

  bool has_checkpoint() const;
  // Writes a checkpoint, with the gradients where some passes of the next step are done.
  void save(Parameters& parameters, Optimizer& optimizer, const Origin& origin, const StepPart& part) const;
  // Throws where the checkpoint belongs to other data, another model or another recipe. Drops metrics of
  // later steps.
  StepPart resume(Parameters& parameters, Optimizer& optimizer, const Origin& origin) const;

  // The trained weights as they are after `step`, in place of those that were kept before.
  void keep_best(const Parameters& parameters, int step) const;
  // The step of the weights that are kept; nothing where there are none.
  std::optional<int> best_step() const;
  // Sets the trained weights to those that are kept.
  void take_best(Parameters& parameters) const;

  // Takes over checkpoint, best weights and metrics of another run with the same training.
  void take_checkpoint(const RunFolder& other) const;
  // Removes checkpoint, best weights, model and adapter.
  void remove_weights() const;

  void append(const Json& metrics) const;
  std::vector<Json> metrics() const;
  void draw_curves() const;

 private:
  std::filesystem::path path_;
};

// SVG of loss, exact answers and learning rate over the steps.
std::string curves_of(const std::vector<Json>& metrics);

}  // namespace palisade
