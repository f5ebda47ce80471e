#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/settings/settings.h"
#include "service/settings/settings_reader.h"

namespace palisade {

// Reads boxes [left, top, right, bottom] and polygons [[x, y], [x, y], [x, y] ...] in 0..1. Empty where the
// key is missing.
std::vector<Polygon> read_polygons(SettingsReader& reader, std::string_view key);
// Reads a stream's `gate:`.
GateSettings read_gate(const YamlNode& node, std::vector<Problem>& problems);
// A line for people about masks and gates, empty without them.
std::string gate_summary(const StreamSettings& stream);

}  // namespace palisade
