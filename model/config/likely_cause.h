#pragma once

#include <filesystem>

namespace palisade {

// What people bring instead of a model folder, known by its look and named with the remedy in one line: names
// of a hub, archives, single files, adapters, download caches, links to nothing, Git LFS pointers, web pages,
// cut downloads and weights in other formats.

// Throws Error where `folder` is no folder with a config.json of its own, or one of its files is not
// what its name says.
void require_model_folder(const std::filesystem::path& folder);

// Throws Error: a folder has a config.json and none of the weights that Palisade reads.
[[noreturn]] void refuse_without_weights(const std::filesystem::path& folder);

// Throws Error: `shard`, which an index lists, is not there.
[[noreturn]] void refuse_without_shard(const std::filesystem::path& shard);

}  // namespace palisade
