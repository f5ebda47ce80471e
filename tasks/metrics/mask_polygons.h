#pragma once

#include <span>
#include <vector>

#include "tasks/metrics/mask_runs.h"

namespace palisade {

// The mask of an object whose outlines are polygons, as pycocotools fills them: x and y in turn, in pixels, a vector for
// each polygon. Throws Error where a polygon has fewer than three points, half a point, or one far outside.
MaskRuns mask_of_polygons(std::span<const std::vector<double>> polygons, int height, int width);

}  // namespace palisade
