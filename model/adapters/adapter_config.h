#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/adapters/module_pattern.h"

namespace palisade {

inline constexpr char kAdapterConfigFile[] = "adapter_config.json";

// What an adapter_config.json of PEFT says of a LoRA, as far as it changes an answer (peft 0.21,
// LoraConfig). Paths of modules are those of the tensors' names, of the version that saved them.
class AdapterConfig {
 public:
  // Throws ModelError naming the file and the field: for any other method than plain LoRA, and for a field
  // that nobody here knows and that is set, which may be a method of its own.
  explicit AdapterConfig(const std::filesystem::path& file);

  // Of the adapted module at this path.
  int rank(std::string_view path) const;
  // What B A x is multiplied by: alpha / rank, or alpha / sqrt(rank) with use_rslora.
  double scale(std::string_view path) const;
  // Throws where target_modules leave out a path that has tensors.
  void require_targets(const std::vector<std::string>& paths) const;
  // The module of modules_to_save that this one is, or is in; empty: none.
  std::string saved_module(std::string_view path) const;
  // Throws where a module of modules_to_save has none of these paths.
  void require_saved(const std::vector<std::string>& paths) const;

 private:
  template <typename Value>
  using Patterns = std::vector<std::pair<ModulePattern, Value>>;  // the first that matches counts

  std::string file_;
  int rank_ = 8;
  double alpha_ = 8;
  bool rank_stabilised_ = false;
  Patterns<int> ranks_;
  Patterns<double> alphas_;
  std::vector<std::string> targets_;  // a list
  std::string target_pattern_;        // or an expression
  std::vector<std::string> saved_;
};

}  // namespace palisade
