#pragma once

#include <filesystem>
#include <string>

#include "model/json.h"
#include "model/train/optimizer.h"
#include "service/transfer/data_filter.h"
#include "service/transfer/transfer_settings.h"

namespace palisade {

// What a transfer leaves on the disk:
//   recipe.yaml              its settings, complete
//   removed.jsonl            where it has filters, which examples they left out, and why
//   metrics.jsonl            a line a step, and one an evaluation
//   curves.svg               the same as a picture
//   checkpoint.safetensors   where it can go on: trained weights, Adam's moments and the steps done
//   model/                   at the end, in Hugging Face layout
// Each file but the metrics appears whole or not at all, so a killed process leaves the last checkpoint as it
// was. Throws ModelError naming the file.
class RunFolder {
 public:
  explicit RunFolder(const std::filesystem::path& path) : path_(path) {}

  // Throws UsageError where something else is there, or where it was begun and `resumed` is false.
  void require_fit(bool resumed) const;
  // Makes the folder with its recipe.
  void begin(const TransferSettings& settings) const;
  void tell_removed(const std::vector<RemovedLine>& removed) const;
  TransferSettings settings() const;  // throws SettingsError too
  std::filesystem::path model() const { return path_ / "model"; }
  std::string name() const;

  bool has_checkpoint() const;
  // `data` is the hash of what is trained on.
  void save(const Parameters& parameters, Optimizer& optimizer, const std::string& data) const;
  // Throws where the checkpoint is of other data or another model. Metrics of later steps are dropped.
  void resume(Parameters& parameters, Optimizer& optimizer, const std::string& data) const;

  // Of another run whose training is this one's: what save() and append() left there.
  void take_checkpoint(const RunFolder& other) const;
  // Checkpoint and model.
  void remove_weights() const;

  void append(const Json& metrics) const;
  std::vector<Json> metrics() const;
  void draw_curves() const;

 private:
  std::filesystem::path path_;
};

// Loss, exact answers and learning rate over the steps. (SVG)
std::string curves_of(const std::vector<Json>& metrics);

}  // namespace palisade
