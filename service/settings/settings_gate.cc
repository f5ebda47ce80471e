#include "service/settings/settings_gate.h"

#include <array>
#include <cstdio>

#include "base/duration.h"
#include "base/format.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxPolygons = 64;
constexpr std::size_t kMaxCorners = 64;
constexpr std::string_view kShape =
    "a box [left, top, right, bottom] or a polygon [[x, y], [x, y], [x, y]], in 0 to 1 of the picture";

// Empty where an entry is no number in 0..1.
std::vector<double> shares_of(const YamlNode& node) {
  std::vector<double> shares;
  for (const YamlNode& item : node.items) {
    const auto share = share_of(item);
    if (!share) return {};
    shares.push_back(*share);
  }
  return shares;
}

// Empty where the node is no polygon.
Polygon polygon_of(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kList) return {};
  if (const std::vector<double> box = shares_of(node); box.size() == 4) {
    if (box[0] >= box[2] || box[1] >= box[3]) return {};
    return box_polygon({box[0], box[1]}, {box[2], box[3]});
  }
  Polygon polygon;
  for (const YamlNode& corner : node.items) {
    const std::vector<double> point = shares_of(corner);
    if (corner.kind != YamlNode::Kind::kList || point.size() != 2) return {};
    polygon.push_back({point[0], point[1]});
  }
  return polygon.size() >= 3 && polygon.size() <= kMaxCorners ? polygon : Polygon{};
}

std::string number_text(double number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%g", number);
  return text.data();
}

}  // namespace

std::vector<Polygon> read_polygons(SettingsReader& reader, std::string_view key) {
  const std::vector<YamlNode>* const items = reader.list(key);
  if (items == nullptr) return {};
  if (items->empty() || items->size() > kMaxPolygons) {
    reader.problem(key, format("{} is a list of 1 to {}, each of them {}", key, kMaxPolygons, kShape));
    return {};
  }
  std::vector<Polygon> polygons;
  for (const YamlNode& item : *items) {
    polygons.push_back(polygon_of(item));
    if (polygons.back().empty()) {
      reader.problem_at(item, std::string(key) + ": each is " + std::string(kShape));
    }
  }
  return polygons;
}

GateSettings read_gate(const YamlNode& node, std::vector<Problem>& problems) {
  SettingsReader reader(node, "a gate", problems);
  GateSettings gate;
  reader.read("motion", gate.motion);
  gate.region = read_polygons(reader, "region");
  const YamlNode* const semantic = reader.find("semantic");
  double least = 0;
  // A threshold near 0 would never ask again, one of 1 always would.
  if (semantic != nullptr && semantic->text != "off") {
    if (reader.read_share("semantic", least) && (least < 0.5 || least >= 1)) {
      reader.problem("semantic",
                     "semantic is off or the least similarity that means the same, 0.5 to 0.9999");
    }
    gate.semantic = least;
  }
  reader.read("longest_silence", gate.longest_silence, std::chrono::milliseconds(1000));
  if (!gate.motion && !gate.region.empty()) {
    reader.problem("region", "region says where the motion gate looks; add motion: true or remove it");
  }
  if (!gate.motion && !gate.semantic && reader.has("longest_silence")) {
    reader.problem("longest_silence", "a gate without motion: true or semantic: 0.98 keeps nothing back");
  }
  reader.finish();
  return gate;
}

std::string gate_summary(const StreamSettings& stream) {
  const GateSettings& gate = stream.gate;
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "  " : ", ") + part; };
  if (!stream.masks.empty()) add(format("{} masked", stream.masks.size()));
  if (gate.motion)
    add(gate.region.empty() ? "asked where something moves" : "asked where something moves in its region");
  if (gate.semantic) add("asked where likeness falls below " + number_text(*gate.semantic));
  if (gate.motion || gate.semantic) add("at least every " + duration_text(gate.longest_silence));
  return text.empty() ? text : text + "\n";
}

}  // namespace palisade
