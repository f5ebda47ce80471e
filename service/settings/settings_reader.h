#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/settings/settings_tree.h"

namespace palisade {

// Reads the values of one map. A key that was asked for is known; finish() reports the others with the
// nearest known one. What is wrong is added to the problems, and the value left as it was.
class SettingsReader {
 public:
  // `node` may be no map, which is a problem too. `what` names it in messages: "a stream".
  SettingsReader(const YamlNode& node, std::string what, std::vector<Problem>& problems);

  // The value of a key, which may be of any kind; nullptr when the key is not there.
  const YamlNode* find(std::string_view key);
  // Each returns whether the key is there with a good value.
  bool read(std::string_view key, std::string& into);
  bool read(std::string_view key, bool& into);
  bool read(std::string_view key, int& into, int least, int most);
  // As written in JSON: 0.25, 3, 1e-5.
  bool read(std::string_view key, double& into, double least, double most);
  bool read(std::string_view key, std::chrono::milliseconds& into, std::chrono::milliseconds least);
  // Numbers in 0..1 as they are written: 0.25, 1.
  bool read_share(std::string_view key, double& into);
  const std::vector<YamlNode>* list(std::string_view key);

  // A problem with the value of `key`, or with the map when the key is not there.
  void problem(std::string_view key, std::string text);
  // A problem with one entry of a list.
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

// 0.25 of "0.25"; nothing for what is no number in 0..1.
std::optional<double> share_of(const YamlNode& node);

// The one of `known` that was probably meant, empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace palisade
