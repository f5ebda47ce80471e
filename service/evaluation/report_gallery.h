#pragma once

#include <string>
#include <vector>

#include "service/evaluation/evaluation_report.h"

namespace palisade {

// Examples with their pictures and, of one picture, the boxes that are right and those that were said.
std::string gallery_html(const std::vector<ShownExample>& examples, const EvaluationSettings& settings);
// One of them; `answers` are lines of the caption below "asked" and "right".
std::string figure_html(const ShownExample& example, const EvaluationSettings& settings,
                        const std::string& answers);
// The boxes of both kinds as a legend; empty where no example has any.
std::string box_legend(const std::vector<ShownExample>& examples);
// References as one text, the first few of many.
std::string references_text(const std::vector<std::string>& references);

}  // namespace palisade
