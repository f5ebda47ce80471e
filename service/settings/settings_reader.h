#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/settings/settings_tree.h"

namespace palisade {

// Reads the values of one map. finish() reports keys that were never asked for, with the nearest known key. A
// wrong value is added to the problems and leaves the setting unchanged.
class SettingsReader {
 public:
  // Where `node` is no map, that is a problem. `what` names it in messages: "a stream".
  SettingsReader(const YamlNode& node, std::string what, std::vector<Problem>& problems);

  // The value of a key, of any kind; nullptr where the key is missing.
  const YamlNode* find(std::string_view key);
  // Each returns whether the key is present with a valid value.
  bool read(std::string_view key, std::string& into);
  bool read(std::string_view key, bool& into);
  bool read(std::string_view key, int& into, int least, int most);
  // A number as JSON writes it: 0.25, 3, 1e-5.
  bool read(std::string_view key, double& into, double least, double most);
  bool read(std::string_view key, std::chrono::milliseconds& into, std::chrono::milliseconds least);
  // A number in 0..1 such as 0.25 or 1.
  bool read_share(std::string_view key, double& into);
  const std::vector<YamlNode>* list(std::string_view key);
  // The texts of a list; other entries are problems.
  std::vector<const YamlNode*> texts(std::string_view key);
  // Likewise, each of them one that is known.
  std::vector<std::string> names(std::string_view key, const std::vector<std::string_view>& known);

  // Adds a problem at the value of `key`, or at the map where the key is missing.
  void problem(std::string_view key, std::string text);
  // Adds a problem at one entry of a list.
  void problem_at(const YamlNode& item, std::string text) {
    problems_.push_back({item.place, std::move(text)});
  }
  bool has(std::string_view key) const;
  void finish();

 private:
  const YamlNode::Entry* entry(std::string_view key) const;
  const YamlNode* scalar(std::string_view key, std::string_view expected);

  const YamlNode& node_;
  std::string what_;
  std::vector<Problem>& problems_;
  std::vector<std::string> known_;
};

// A number in 0..1; nothing for any other text.
std::optional<double> share_of(const YamlNode& node);

// The known word that was probably meant; empty where none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace palisade
