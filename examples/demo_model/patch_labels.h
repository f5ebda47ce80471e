#pragma once

#include <span>
#include <vector>

#include "examples/world/scene.h"
#include "model/train/image_stage.h"

namespace palisade::world {

// What stage 0 teaches of every patch of a demo picture, of the first two objects whose visible centre lies
// in it, from left to right: which kind and colour (or none), where its box begins and ends in 64 steps of
// the whole picture, and which way it faces; and where in the picture the patch itself is. Places are those
// of the picture, not of the patch: a language model whose positions are relative has nothing else that tells
// them.
std::span<const PatchLabel> patch_labels();

// The labels of a picture with `grid` x `grid` patches, taken at time t, appended to `labels`.
void append_patch_labels(std::span<const Object> objects, double t, int grid, std::vector<int>& labels);

}  // namespace palisade::world
