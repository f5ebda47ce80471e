#include "service/terminal/svg.h"

#include "base/format.h"

namespace palisade {
namespace {

std::string escaped_xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string attribute(const char* name, double value) {
  return format(" {}=\"{:.1f}\"", name, value);
}

std::string text_at(double x, double y, std::string_view text, const char* anchor) {
  return "<text" + attribute("x", x) + attribute("y", y) + " text-anchor=\"" + anchor + "\">" +
         escaped_xml(text) + "</text>\n";
}

std::string line(double x1, double y1, double x2, double y2, const char* colour) {
  return "<line" + attribute("x1", x1) + attribute("y1", y1) + attribute("x2", x2) + attribute("y2", y2) +
         " stroke=\"" + colour + "\"/>\n";
}

std::string polyline(const std::vector<std::pair<double, double>>& points, const char* colour) {
  std::string text = "<polyline fill=\"none\" stroke=\"" + std::string(colour) + "\" points=\"";
  for (const auto& [x, y] : points) text += format("{:.1f},{:.1f} ", x, y);
  return text + "\"/>\n";
}

}  // namespace palisade
