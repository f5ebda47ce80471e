#include "service/settings/written_json.h"

#include "base/json.h"

namespace palisade {
namespace {

Json json_of(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNothing:
      return nullptr;
    case YamlNode::Kind::kScalar: {
      if (node.quoted) return node.text;
      const Json value = Json::parse(node.text, nullptr, false);
      return value.is_boolean() || value.is_number() ? value : Json(node.text);
    }
    case YamlNode::Kind::kList: {
      Json list = Json::array();
      for (const YamlNode& item : node.items) list.push_back(json_of(item));
      return list;
    }
    case YamlNode::Kind::kMap: {
      Json map = Json::object();
      for (const YamlNode::Entry& entry : node.entries) map[entry.key] = json_of(entry.value);
      return map;
    }
  }
  return nullptr;
}

}  // namespace

std::string json_text_of(const YamlNode& node) {
  try {
    return json_of(node).dump();
  } catch (const Json::exception&) {
    return {};
  }
}

}  // namespace palisade
