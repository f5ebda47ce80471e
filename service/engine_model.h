#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/decoding.h"
#include "model/paligemma.h"

namespace palisade {

// Images on their way through SigLIP. The engine's thread alone, as the two below.
class EncodeJob {
 public:
  virtual ~EncodeJob() = default;
  // A bounded piece of the work; false once there is none left. Throws ModelError.
  virtual bool advance() = 0;
  virtual std::vector<ImageFeatures> features() = 0;  // once advance() has said no
};

// One prompt on its way to an answer: prefilled piece by piece, then stepped with others.
class AnswerJob {
 public:
  virtual ~AnswerJob() = default;
  // A bounded piece of the prefill; false once there is none left. Throws ModelError.
  virtual bool prefill() = 0;
  virtual bool done() const = 0;
  virtual Answer answer() const = 0;  // where done(); throws ModelError where it failed
};

// What the Engine needs of a model; PaliGemma's is made by load_engine_model(), tests have their own.
// The jobs belong to the engine's thread, the rest to any.
class EngineModel {
 public:
  virtual ~EngineModel() = default;
  virtual ModelIdentity identity() const = 0;
  virtual int image_size() const = 0;
  virtual int image_tokens() const = 0;  // of one image
  // What an answer's keys and values will take. Throws ModelError where it cannot be asked for: a prompt that
  // is too long, too many images, choices that are none.
  virtual std::size_t kv_bytes(int images, const std::string& prompt,
                               const DecodingOptions& options) const = 0;

  virtual std::unique_ptr<EncodeJob> encode(std::vector<Image> images) = 0;
  virtual std::unique_ptr<AnswerJob> answer(std::vector<ImageFeatures> images, const std::string& prompt,
                                            DecodingOptions options) = 0;
  // One token for each prefilled job, all in one batch. A job that fails is done and says so itself.
  virtual void step(std::span<AnswerJob* const> jobs) = 0;
};

// Reads a Hugging Face folder; `resize` replaces the preset that the folder asks for. Throws ModelError. The
// hash over large weight files is computed beside the work, and is empty in identity() until then.
std::unique_ptr<EngineModel> load_engine_model(const std::filesystem::path& folder,
                                               std::optional<ResizePreset> resize = std::nullopt);

// The demo model's folder, beside the program or in its source. Throws ModelError when it is in neither.
std::filesystem::path demo_model_folder();

}  // namespace palisade
