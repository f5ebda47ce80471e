#pragma once

#include <string>
#include <string_view>

namespace palisade {

// What pages of an evaluation share: style, the filter of a list, and text as HTML has it.
extern const std::string_view kReportStyle;   // CSS
extern const std::string_view kReportScript;  // JavaScript

// A text inside an element or an attribute in quotes; control characters become visible.
std::string html_text(std::string_view text);
// The beginning of a page to its body, which may load nothing from anywhere; and its end.
std::string page_head(std::string_view title);
std::string page_end();

}  // namespace palisade
