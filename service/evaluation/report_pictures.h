#pragma once

#include <string>
#include <vector>

#include "service/evaluation/evaluation_report.h"

namespace palisade {

// A picture of a report.
struct ReportPicture {
  int width = 0, height = 0;
  std::string data_url;  // JPEG; empty: it cannot be read any more
};

// At most four pictures of what an example shows, those of a film spread over the frames that the model saw,
// small enough for a page of many.
std::vector<ReportPicture> pictures_of(const ShownExample& example, const EvaluationSettings& settings);

}  // namespace palisade
