#include "service/settings/settings_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "base/format.h"
#include "base/log.h"

namespace palisade {
namespace {

Place place_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

// Ends the reading: what follows could not be read reliably.
struct UnreadableYaml {
  Problem problem;
};

// yaml-cpp's Node accepts duplicate keys, follows aliases and forgets quotes, so the tree is built from its
// events.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::vector<Problem>& problems) : problems_(problems) {}

  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    add({.kind = YamlNode::Kind::kNothing, .place = place_of(mark)});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw UnreadableYaml{{place_of(mark), "an alias (*name); write its value out"}};
  }
  void OnAnchor(const YAML::Mark&, const std::string&) override {}
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    // yaml-cpp gives a plain scalar the tag "?" and a quoted one "!".
    if (tag != "?" && tag != "!" && !tag.empty()) {
      throw UnreadableYaml{{place_of(mark), "a tag (" + tag + "); leave it out"}};
    }
    // A password in a URL is hidden wherever it stands, even in a value that is refused.
    if (value.find(":/") != std::string::npos) hide_secrets_of(value);
    add({.kind = YamlNode::Kind::kScalar, .place = place_of(mark), .text = value, .quoted = tag == "!"});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    open({.kind = YamlNode::Kind::kList, .place = place_of(mark)});
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    open({.kind = YamlNode::Kind::kMap, .place = place_of(mark)});
  }
  void OnMapEnd() override { close(); }

 private:
  struct OpenNode {
    YamlNode node;
    bool has_key = false;
    YamlNode key;
  };

  static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor)
      throw UnreadableYaml{{place_of(mark), "an anchor (&name); write values out"}};
  }

  void open(YamlNode node) {
    if (open_.size() >= kMaxYamlDepth) {
      throw UnreadableYaml{{node.place, format("nested deeper than {} levels", kMaxYamlDepth)}};
    }
    open_.push_back({.node = std::move(node)});
  }

  void close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  void add(YamlNode node) {
    if (++nodes_ > kMaxYamlNodes) {
      throw UnreadableYaml{{node.place, format("more than {} values; split the file", kMaxYamlNodes)}};
    }
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (OpenNode& parent = open_.back(); parent.node.kind == YamlNode::Kind::kList) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      parent.key = std::move(node);
      parent.has_key = true;
    } else {
      parent.has_key = false;
      add_entry(parent, std::move(node));
    }
  }

  void add_entry(OpenNode& map, YamlNode value) {
    const YamlNode key = std::move(map.key);
    if (key.kind != YamlNode::Kind::kScalar) {
      problems_.push_back({key.place, "a key is a word, not " + std::string(name_of(key.kind))});
      return;
    }
    const auto same = std::ranges::find(map.node.entries, key.text, &YamlNode::Entry::key);
    if (same != map.node.entries.end()) {
      problems_.push_back({key.place, format("duplicate key '{}', first given in line {}; leave one",
                                             key.text, same->place.line)});
      return;
    }
    // Bounds the search for duplicates; no valid map has nearly as many keys.
    if (map.node.entries.size() >= 1000) throw UnreadableYaml{{key.place, "a map of more than 1000 keys"}};
    map.node.entries.push_back({key.text, key.place, std::move(value)});
  }

  std::vector<Problem>& problems_;
  std::vector<OpenNode> open_;
  YamlNode root_;
  std::size_t nodes_ = 0;
};

// Length of the UTF-8 character at `at`; 0 where there is none.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(at);
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xc2 && first < 0xe0 ? 2
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
  }
  const unsigned second = byte(at + 1);
  if (first == 0xe0 && second < 0xa0) return 0;
  if (first == 0xed && second >= 0xa0) return 0;
  if (first == 0xf0 && second < 0x90) return 0;
  if (first == 0xf4 && second >= 0x90) return 0;
  return length;
}

// Checks the bytes before any YAML is parsed.
std::optional<Problem> byte_fault(std::string_view text) {
  if (text.size() > kMaxYamlBytes) return Problem{{}, "larger than 1 MiB"};
  if (text.starts_with("\xef\xbb\xbf"))
    return Problem{{1, 1}, "a byte order mark; save as UTF-8 without one"};
  Place place{1, 1};
  bool indent = true;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const std::size_t length = utf8_length(text, i);
    if (length == 0) return Problem{place, "not UTF-8; save the file as UTF-8"};
    const bool line_break = c == '\n' || (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n');
    if (!line_break && c != '\t' && ((c >= 0 && c < 0x20) || c == 0x7f)) {
      return Problem{place, "a control character; remove it"};
    }
    if (indent && c == '\t') return Problem{place, "a tab indents this line; use spaces"};
    indent = c == '\n' || (indent && c == ' ');
    place = c == '\n' ? Place{place.line + 1, 1} : Place{place.line, place.column + 1};
    i += length;
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::kNothing:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "a single value";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return {};
}

YamlNode read_yaml(std::string_view text, std::vector<Problem>& problems) {
  if (auto fault = byte_fault(text)) {
    problems.push_back(*std::move(fault));
    return {};
  }
  TreeBuilder builder(problems);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    YamlNode root = builder.take();
    TreeBuilder second(problems);
    if (parser.HandleNextDocument(second)) {
      problems.push_back({second.take().place, "a second document (---); a configuration is one document"});
    }
    return root;
  } catch (const UnreadableYaml& abandon) {
    problems.push_back(abandon.problem);
  } catch (const YAML::Exception& error) {
    problems.push_back({place_of(error.mark), "not YAML: " + error.msg});
  }
  return {};
}

std::vector<std::string> problem_lines(std::vector<Problem> problems, const std::string& file) {
  std::ranges::stable_sort(problems, {}, [](const Problem& problem) {
    return std::pair(problem.place.line, problem.place.column);
  });
  std::vector<std::string> lines;
  for (const Problem& problem : problems) {
    const Place place = problem.place;
    const std::string at = place.line > 0 ? format(":{}:{}", place.line, place.column) : "";
    lines.push_back(file + at + ": " + problem.text);
  }
  return lines;
}

}  // namespace palisade
