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

// Images being encoded. Used by the engine's thread alone, like AnswerJob.
class EncodeJob {
 public:
  virtual ~EncodeJob() = default;
  // Does about `time` of the work; false once there is none left. Throws Error.
  virtual bool advance(MonotonicTime::duration time) = 0;
  virtual std::vector<ImageFeatures> features() = 0;  // once advance() has returned false
};

// One prompt: prefilled piece by piece, then stepped together with others.
class AnswerJob {
 public:
  virtual ~AnswerJob() = default;
  // Image tokens that are read.
  virtual int image_tokens() const = 0;
  // Bytes of its keys and values, from the first prefill() to its end.
  virtual std::size_t kv_bytes() const = 0;
  // Does about `time` of the prefill; false once there is none left. Throws Error.
  virtual bool prefill(MonotonicTime::duration time) = 0;
  virtual bool done() const = 0;
  virtual std::string text() const = 0;  // so far, once prefilled
  virtual Answer answer() const = 0;     // once done(); throws Error where it failed
};

// The model as the Engine uses it: PaliGemma by load_engine_model(), or a stub in tests. Jobs belong to the
// engine's thread; the rest may be used by any.
class EngineModel {
 public:
  virtual ~EngineModel() = default;
  virtual ModelIdentity identity() const = 0;
  virtual int image_size() const = 0;
  virtual int image_tokens() const = 0;  // of one image
  virtual int max_tokens() const = 0;    // of images, prompt and answer together

  // Reads an adapter's folder, once while somebody has it. Throws Error where it cannot be used.
  virtual SharedAdapter load_adapter(const std::filesystem::path& folder) = 0;

  // With an adapter, or none (nullptr).
  virtual std::unique_ptr<EncodeJob> encode(std::vector<Image> images, SharedAdapter adapter) = 0;
  // Throws Error for a prompt that is too long, too many images, or invalid choices.
  virtual std::unique_ptr<AnswerJob> answer(std::vector<ImageFeatures> images, const std::string& prompt,
                                            DecodingOptions options, const Prune& prune,
                                            SharedAdapter adapter) = 0;
  // Decodes one token for each prefilled job, in one batch. A job that fails is done and reports it by
  // answer().
  virtual void step(std::span<AnswerJob* const> jobs) = 0;
};

// Number of images that are encoded as one batch.
int images_encoded_together(int image_tokens);

// The precision of a choice on this CPU; logs it for `auto`.
Precision chosen_precision(PrecisionChoice choice);

struct EngineModelOptions {
  std::optional<ResizePreset> resize;  // instead of the model folder's preset
  SlidingWindow sliding_window = SlidingWindow::kTransformers;
  PrecisionChoice precision = Precision::kF32;
  WeightOptions weights = {};
  std::shared_ptr<void> while_loading = {};  // released when all weights are loaded or loading has failed
};

// Reads a Hugging Face folder. The SHA-256 of large weight files is computed in idle time and is empty in
// identity() until then. Throws Error.
std::unique_ptr<EngineModel> load_engine_model(const std::filesystem::path& folder,
                                               const EngineModelOptions& options = {});

// The folder of the demo model, beside the program or in the source tree. Throws Error where there is none.
std::filesystem::path demo_model_folder();

}  // namespace palisade
