#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palisade {

// A position in a file, from 1; line 0 means the whole file.
struct Place {
  int line = 0;
  int column = 0;
};

struct Problem {
  Place place;
  std::string text;
};

// A YAML document as written. Scalars stay text and remember whether they were quoted, so that "no" stays
// "no".
struct YamlNode {
  enum class Kind { kNothing, kScalar, kList, kMap };
  struct Entry;

  Kind kind = Kind::kNothing;
  Place place;
  std::string text;     // of a scalar
  bool quoted = false;  // of a scalar
  std::vector<YamlNode> items;
  std::vector<Entry> entries;
};

struct YamlNode::Entry {
  std::string key;
  Place place;
  YamlNode value;
};

std::string_view name_of(YamlNode::Kind kind);  // "a list"

// Limits of a file, checked while it is read.
inline constexpr std::size_t kMaxYamlBytes = 1u << 20;
inline constexpr std::size_t kMaxYamlNodes = 100'000;
inline constexpr std::size_t kMaxYamlDepth = 32;

// Reads one document. Aliases, anchors, tags, duplicate keys, tabs that indent, byte order marks, control
// characters and invalid UTF-8 are problems; the result may be used only where `problems` did not grow.
YamlNode read_yaml(std::string_view text, std::vector<Problem>& problems);

// "FILE:LINE:COLUMN: TEXT" of each, in the order of the file.
std::vector<std::string> problem_lines(std::vector<Problem> problems, const std::string& file);

}  // namespace palisade
