#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palisade {

// Pieces of an SVG picture. Text is escaped.
std::string attribute(const char* name, double value);
std::string text_at(double x, double y, std::string_view text, const char* anchor = "start");
std::string line(double x1, double y1, double x2, double y2, const char* colour);
std::string polyline(const std::vector<std::pair<double, double>>& points, const char* colour);

}  // namespace palisade
