#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace palisade {

struct JoinedParts {
  std::filesystem::path vision;    // a SigLIP's folder
  std::filesystem::path language;  // a Gemma's
  std::uint64_t seed = 0;          // of the new tokens' rows
};

// Writes the PaliGemma that stage 1 begins with (arXiv 2407.07726, 3.2.1): both parts' weights as they are,
// in f32; a projection of zeros (big_vision, models/vit.py: head_zeroinit); and for the location and segment
// tokens rows of the embedding drawn from N(0, 0.02^2) (models/ppp/gemma.py: extend_rows). The text tower and
// pooling head of SigLIP and padding rows of Gemma are left out. The folder is written whole or not at all,
// one tensor at a time; it must not be there yet. Throws Error naming what cannot be joined, and the remedy.
void write_joined_model(const JoinedParts& parts, const std::filesystem::path& target, const std::string& id);

}  // namespace palisade
