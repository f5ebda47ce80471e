#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frames/image.h"
#include "model/config/model_config.h"
#include "model/gemma/language_model.h"
#include "model/paligemma/adapter.h"
#include "model/paligemma/sequence.h"
#include "model/siglip/image_encoder.h"
#include "model/tensor/matrix.h"
#include "model/tensor/observer.h"
#include "model/text/location_tokens.h"
#include "model/text/tokenizer.h"
#include "model/text/verdict_tokens.h"
#include "model/weights/calibration.h"
#include "model/weights/identity.h"
#include "model/weights/weight_files.h"

namespace palisade {

// What SigLIP and the projection make of one image: the rows that enter Gemma in its place.
// [config().image_tokens(), text width]. Independent of prompt and of other images, so it may be shared.
using ImageFeatures = std::shared_ptr<const Matrix>;

class PaliGemma;

// Texts that may follow a prompt, each as tokens, none empty.
using Continuations = std::vector<std::vector<TokenId>>;

// How the weights of a folder become a model, beside their precision.
struct WeightOptions {
  std::filesystem::path packed_cache = {};  // packed weights are kept below this folder for the next start
  std::filesystem::path calibration = {};   // of int8; empty: the model folder's own, where it has one
  RecordedInputs* record = nullptr;         // what goes into matmuls, for a Calibration; outlives the model
  // Lower-case hex: files that have another are refused before anything of them is used. Empty: any will do.
  std::string sha256 = {};
  std::string (*hash)(const WeightFiles&) = nullptr;  // what it is compared with
  // The constructor is done when images can be encoded. What needs more of Gemma than there is waits for it,
  // and throws what went wrong.
  bool load_while_used = false;
};

// Images on their way through SigLIP and projection, slice by slice: PaliGemma::begin_encode(), advance()
// until it says no, finish(). Belongs to the thread that owns the model, which must outlive it.
class ImageEncoding {
 public:
  // The next slice, of about `operations` (floating-point). False once there is none.
  bool advance(double operations) { return pass_.advance(operations); }
  double operations() const { return pass_.operations(); }  // done so far
  // Once; after advance() has said no.
  std::vector<ImageFeatures> finish();

 private:
  friend class PaliGemma;
  ImageEncoding(const PaliGemma& model, Matrix x, const Observer& observer, SharedAdapter adapter);
  const PaliGemma& model_;
  Observer observer_;
  SharedAdapter adapter_;
  Matrix x_;
  EncoderPass pass_;
};

// How a prefill differs from all images through the model alone.
struct PrefillOptions {
  std::span<const int> read_as = {};  // see static_images.h; empty: each as itself
  SharedAdapter adapter = {};
};

// The prefill of one request, as above.
class Prefill {
 public:
  bool advance(double operations);
  double operations() const { return pass_.operations(); }
  // Of each continuation of begin_scoring() the natural log-probabilities of its tokens, each after the
  // prompt and those before it; of logits bounded by `softcap`. Before finish(). Throws ModelError when a
  // logit is not finite.
  std::vector<std::vector<double>> continuation_logprobs(std::optional<float> softcap);
  Sequence finish();

 private:
  friend class PaliGemma;
  // The segment is of x's first rows, and has no cache yet; the rows of continuations follow.
  Prefill(const LanguageModel& model, Matrix x, Segment segment, Sequence sequence, const Observer& observer,
          Continuations continuations = {});
  std::vector<Segment> segments_of(Segment prompt);
  // [rows, vocabulary], of rows of x that have passed.
  void logits_of(int first, int count, MatrixView out) const;
  const LanguageModel& model_;
  Matrix x_;
  int prompt_rows_;
  Sequence sequence_;
  Continuations continuations_;
  std::vector<KvCache> tails_;  // of each continuation, behind the prompt's
  LanguagePass pass_;
  bool passed_ = false;
};

// SigLIP, the linear projection and Gemma, read from a Hugging Face folder. Used by one thread (the
// Engine's).
class PaliGemma {
 public:
  // Throws Error naming the file or tensor and the remedy.
  explicit PaliGemma(const std::filesystem::path& folder, SlidingWindow window = SlidingWindow::kTransformers,
                     Precision precision = Precision::kF32, const WeightOptions& options = {});
  // Of weights that come without a folder (RandomCheckpoint), to measure speed: it has no tokenizer, so
  // tokenizer() and prompt_ids() throw Error and prompts are token ids. `id` names it.
  PaliGemma(const ModelConfig& config, const Checkpoint& checkpoint, const std::string& id,
            SlidingWindow window = SlidingWindow::kTransformers, Precision precision = Precision::kF32);
  ~PaliGemma();

  const ModelConfig& config() const;
  const Tokenizer& tokenizer() const;
  const ModelIdentity& identity() const;
  const WeightFiles& weight_files() const;
  // What became of the packed cache, for the log; empty without one. Waits until all weights are there, and
  // throws what went wrong.
  std::string packed_cache_note() const;
  // What is not loaded by now will not be; who waits for it is thrown a Error.
  void stop_loading();
  // First tokens of yes and no, and of true and false, in their case variants.
  const VerdictTokens& yes_no_tokens() const;
  const VerdictTokens& true_false_tokens() const;
  const LocationTokens& location_tokens() const;
  // The model's square, in pixels a side.
  int image_size() const;
  // Throws Error where that is more than config().text.max_position_embeddings.
  void require_room(int positions) const;
  // f32 bytes of one position's keys and values in all layers.
  std::size_t kv_bytes_per_position() const;

  // <bos> prefix "\n". The newline is tokenised with the prefix, as transformers does (the released
  // checkpoints' own processor); image tokens are not part of it.
  std::vector<TokenId> prompt_ids(std::string_view prefix) const;

  // Each image (image_size() square; others are resized with identity().resize) through SigLIP and
  // projection, as one batch.
  std::vector<ImageFeatures> encode(std::span<const Image> images, const Observer& observer = {},
                                    const SharedAdapter& adapter = {}) const;

  // As encode, to be run in slices.
  std::unique_ptr<ImageEncoding> begin_encode(std::span<const Image> images, const Observer& observer = {},
                                              SharedAdapter adapter = {}) const;

  // Images, then prompt, all attending to each other; room for `max_new_tokens` more. Throws Error where
  // that is more than config().text.max_position_embeddings.
  Sequence prefill(std::span<const ImageFeatures> images, std::span<const TokenId> prompt, int max_new_tokens,
                   const Observer& observer = {}, const PrefillOptions& options = {}) const;

  // As prefill, to be run in slices. With `read_as` an image that is read as another is left out of the pass:
  // in every layer its places, which all others see, have the keys and values of that one's tokens, turned to
  // its own positions. What it costs is memory alone.
  std::unique_ptr<Prefill> begin_prefill(std::span<const ImageFeatures> images,
                                         std::span<const TokenId> prompt, int max_new_tokens,
                                         const Observer& observer = {},
                                         const PrefillOptions& options = {}) const;

  // As begin_prefill with room for nothing more; the pass scores continuations as well, which do not see each
  // other: Prefill::continuation_logprobs().
  std::unique_ptr<Prefill> begin_scoring(std::span<const ImageFeatures> images,
                                         std::span<const TokenId> prompt, Continuations continuations,
                                         const PrefillOptions& options = {}) const;

  // Of rows of "lm.final_norm" as an Observer sees them. [rows, embedding rows]
  Matrix logits(ConstMatrixView hidden, const SharedAdapter& adapter = {}) const;

  // As prefill, followed by `suffix` whose tokens see the prefix and each other causally (teacher forcing).
  // Returns the logits of every suffix position. [suffix, embedding rows]
  Matrix score(std::span<const ImageFeatures> images, std::span<const TokenId> prompt,
               std::span<const TokenId> suffix, const Observer& observer = {},
               const SharedAdapter& adapter = {}) const;

  // Reads the folder of a LoRA (read_adapter), to stand beside this model: images are encoded with it, and
  // the sequences that it prefills go on with it. Any thread; waits for the model's weights where it is still
  // being loaded. Throws Error.
  SharedAdapter load_adapter(const std::filesystem::path& folder) const;
  // The same of one that is read already; of weights without a folder it replaces none.
  SharedAdapter adapt(AdapterTensors tensors) const;

  // Appends tokens[i] to *sequences[i] and computes its next logits, all in one batch, whatever adapters they
  // have; only those of which an adapter replaces parts of the language model are apart.
  void step(std::span<Sequence* const> sequences, std::span<const TokenId> tokens) const;

 private:
  friend class ImageEncoding;
  struct Parts;
  struct Stepped {
    Sequence* sequence;
    TokenId token;
    const LanguageModel* model;
  };
  void step_together(std::span<const Stepped> all) const;
  std::unique_ptr<Parts> parts_;
};

}  // namespace palisade
