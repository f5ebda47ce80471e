#pragma once

#include <span>
#include <vector>

#include "examples/world/scene.h"
#include "model/train/image_stage.h"

namespace palisade::world {

// The labels that stage 0 teaches for every patch of a demo picture. For the first two objects, from left to
// right, whose visible centre lies in the patch: kind and colour (or none), the box in 64 steps of the whole
// picture, and the direction that it faces. Also the place of the patch in the picture. Coordinates are
// absolute, because a language model with relative positions has no other source of them.
std::span<const PatchLabel> patch_labels();

// Appends the labels of a picture with `grid` x `grid` patches, taken at time t, to `labels`.
void append_patch_labels(std::span<const Object> objects, double t, int grid, std::vector<int>& labels);

}  // namespace palisade::world
