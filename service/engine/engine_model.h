#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "frames/frame.h"
#include "model/decoding/decoding.h"
#include "model/matmul/precision.h"
#include "model/paligemma/paligemma.h"
#include "service/settings/prune.h"

namespace palisade {

// Images on their way through SigLIP. The engine's thread alone, as the two below.
class EncodeJob {
 public:
  virtual ~EncodeJob() = default;
  // A piece of the work that takes about `time`; false once there is none left. Throws Error.
  virtual bool advance(MonotonicTime::duration time) = 0;
  virtual std::vector<ImageFeatures> features() = 0;  // once advance() has said no
};

// One prompt on its way to an answer: prefilled piece by piece, then stepped with others.
class AnswerJob {
 public:
  virtual ~AnswerJob() = default;
  // Of its images, that are read.
  virtual int image_tokens() const = 0;
  // What its keys and values take, from the first prefill() to its end.
  virtual std::size_t kv_bytes() const = 0;
  // A piece of the prefill that takes about `time`; false once there is none left. Throws Error.
  virtual bool prefill(MonotonicTime::duration time) = 0;
  virtual bool done() const = 0;
  virtual std::string text() const = 0;  // so far, once prefilled
  virtual Answer answer() const = 0;     // where done(); throws Error where it failed
};

// What the Engine needs of a model; PaliGemma's is made by load_engine_model(), tests have their own.
// The jobs belong to the engine's thread, the rest to any.
class EngineModel {
 public:
  virtual ~EngineModel() = default;
  virtual ModelIdentity identity() const = 0;
  virtual int image_size() const = 0;
  virtual int image_tokens() const = 0;  // of one image

  virtual std::unique_ptr<EncodeJob> encode(std::vector<Image> images) = 0;
  // Throws Error where it cannot be asked for: a prompt that is too long, too many images, choices that
  // are none.
  virtual std::unique_ptr<AnswerJob> answer(std::vector<ImageFeatures> images, const std::string& prompt,
                                            DecodingOptions options, const Prune& prune) = 0;
  // One token for each prefilled job, all in one batch. A job that fails is done and says so itself.
  virtual void step(std::span<AnswerJob* const> jobs) = 0;
};

// How many images of so many tokens go through the tower as one batch.
int images_encoded_together(int image_tokens);

// What a choice is on this CPU; logs it where it was left to the CPU.
Precision chosen_precision(PrecisionChoice choice);

struct EngineModelOptions {
  std::optional<ResizePreset> resize;  // instead of the preset that the folder asks for
  SlidingWindow sliding_window = SlidingWindow::kTransformers;
  PrecisionChoice precision = Precision::kF32;
  WeightOptions weights = {};
};

// Reads a Hugging Face folder. Throws Error. The hash over large weight files is computed beside the
// work, and is empty in identity() until then.
std::unique_ptr<EngineModel> load_engine_model(const std::filesystem::path& folder,
                                               const EngineModelOptions& options = {});

// The demo model's folder, beside the program or in its source. Throws Error when it is in neither.
std::filesystem::path demo_model_folder();

}  // namespace palisade
