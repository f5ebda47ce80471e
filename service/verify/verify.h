#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/paligemma/paligemma.h"
#include "service/verify/report.h"

namespace palisade {

// How PaliGemma multiplies (see tolerance.h), and what stands beside it.
struct VerifiedModel {
  Precision precision = Precision::kF32;
  // Folder of an adapter, which then stands beside the models of all cases; empty: those of adapters/ beside
  // the models of their cases, none beside others.
  std::filesystem::path adapter = {};
};

// Runs the golden data in `root` (models/, images/, cases/, resize/, tokenizer/, train/, segmentation/,
// adapters/) at the tolerances of its README. `wanted` chooses cases by path or its end
// ("cases/paligemma1-tiny/caption", "caption", "resize"); empty takes all. What this build cannot run is
// reported as skipped. Throws Error where root holds no golden data or a wanted case is missing.
void verify(const std::filesystem::path& root, const std::vector<std::string>& wanted,
            const VerifiedModel& verified, VerificationReport& report);

// The parts, each a family of files.
void verify_resize(const std::filesystem::path& root, VerificationReport& report);
void verify_pixels(const std::filesystem::path& root, const std::filesystem::path& file,
                   VerificationReport& report);
void verify_tokenizer(const std::filesystem::path& root, const std::filesystem::path& file,
                      VerificationReport& report);
void verify_processor(const std::filesystem::path& root, const std::filesystem::path& file,
                      VerificationReport& report);
void verify_model_case(const std::filesystem::path& root, const std::filesystem::path& file,
                       const VerifiedModel& verified, VerificationReport& report);
// adapters/expected/MODEL/ADAPTER.json: of adapters/adapters/MODEL/ADAPTER, and of the same saved in other
// ways (ADAPTER_451, ADAPTER_5, ADAPTER_literal); base.json: of none.
void verify_adapter_case(const std::filesystem::path& root, const std::filesystem::path& file,
                         const VerifiedModel& verified, VerificationReport& report);
void verify_siglip_case(const std::filesystem::path& root, const std::filesystem::path& file,
                        VerificationReport& report);
void verify_train_case(const std::filesystem::path& root, const std::filesystem::path& file,
                       VerificationReport& report);
void verify_segmentation(const std::filesystem::path& root, const std::filesystem::path& file,
                         VerificationReport& report);

// One prompt's beam searches in transformers' way: `settings` are a case's "beam" or "beam_softcapped".
struct BeamCase {
  std::string name;
  const Json& settings;
  const PaliGemma& model;
  std::span<const ImageFeatures> features;
  std::span<const TokenId> prompt_ids;
  std::optional<float> softcap = {};
  SharedAdapter adapter = {};
};
void verify_beams(const BeamCase& beams, VerificationReport& report);
void verify_big_vision_beams(const std::filesystem::path& root, const std::filesystem::path& file,
                             VerificationReport& report);

}  // namespace palisade
