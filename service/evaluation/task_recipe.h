#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "service/transfer/transfer_settings.h"

namespace palisade {

// A row of transfer_configs.csv: a transfer that was published, as it is evaluated.
struct PublishedTransfer {
  std::string task;        // "nlvr2"
  std::string resolution;  // "224"
  std::string metric;      // of ours: "vqa", "caption" ...
  // Of that metric, those that were published, in their order: "acc", "anls", "cider" ...
  std::vector<std::string> figures;
  bool lower = false;     // texts are compared in lower case
  std::string published;  // "90.02 (acc test)"; empty where the paper has none
  // The numbers of it, one for each of the figures; none where it has others, such as those of several data
  // sets.
  std::vector<double> values;
};

// configs/recipes beside the program or in the source tree, which holds recipes and transfer_configs.csv (of
// big_vision and the PaliGemma paper). Throws Error where there is none.
std::filesystem::path recipes_folder();

// Rows of transfer_configs.csv that can be evaluated. Throws Error.
std::vector<PublishedTransfer> read_published_transfers(const std::filesystem::path& file);

// The row of a recipe named "nlvr2_224", or nothing.
std::optional<PublishedTransfer> published_transfer(const std::string& recipe);

// Of a task named "nlvr2_224", or "nlvr2" for a model of `image_size` pixels, the name of its recipe. Throws
// UsageError that names what there is.
std::string recipe_of_task(const std::string& task, int image_size);

}  // namespace palisade
