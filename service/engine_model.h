#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "model/decoding.h"
#include "tasks/answer_event.h"

namespace palisade {

// Thrown out of encode() or answer() when their stop token has fired.
struct ModelStopped {};

// What the Engine needs of a model; PaliGemma's is made by load_engine_model(), tests have their own.
// encode() and answer() belong to the engine's thread, the rest to any.
class EngineModel {
 public:
  virtual ~EngineModel() = default;
  virtual ModelIdentity identity() const = 0;
  virtual int image_size() const = 0;
  virtual int image_tokens() const = 0;  // of one image

  virtual std::vector<ImageFeatures> encode(std::span<const Image> images, std::stop_token stop) = 0;
  // Fills in timing.prefill and timing.decode.
  virtual Answer answer(std::span<const ImageFeatures> images, const std::string& prompt,
                        const DecodingOptions& options, AnswerTiming& timing, std::stop_token stop) = 0;
};

// Reads a Hugging Face folder; `resize` replaces the preset that the folder asks for. Throws ModelError. The
// hash over large weight files is computed beside the work, and is empty in identity() until then.
std::unique_ptr<EngineModel> load_engine_model(const std::filesystem::path& folder,
                                               std::optional<ResizePreset> resize = std::nullopt);

// The demo model's folder, beside the program or in its source. Throws ModelError when it is in neither.
std::filesystem::path demo_model_folder();

}  // namespace palisade
