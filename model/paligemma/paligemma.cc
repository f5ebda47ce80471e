#include "model/paligemma/paligemma.h"

#include <algorithm>
#include <cassert>
#include <future>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/format.h"
#include "model/config/likely_cause.h"
#include "model/config/preprocessor.h"
#include "model/error.h"
#include "model/gemma/language_model.h"
#include "model/matmul/linear.h"
#include "model/siglip/image_encoder.h"
#include "model/tensor/parallel.h"
#include "model/weights/checkpoint.h"
#include "model/weights/checkpoint_match.h"
#include "model/weights/read_ahead.h"

namespace palisade {
namespace {

// In f32 whatever the rest is: it is a hundredth of the work, and all that Gemma sees of a picture goes
// through it once.
Linear read_projection(const Checkpoint& checkpoint, const ModelConfig& config) {
  return read_biased_linear(checkpoint, "multi_modal_projector.linear", config.text.width,
                            config.vision.width, Precision::kF32);
}

std::optional<Calibration> calibration_of(const std::filesystem::path& folder, const Checkpoint& checkpoint,
                                          const ModelConfig& config, Precision precision,
                                          const std::filesystem::path& named) {
  const auto file = named.empty() ? folder / kCalibrationFile : named;
  if (precision != Precision::kInt8 || (named.empty() && !std::filesystem::exists(file))) return std::nullopt;
  return std::optional<Calibration>(std::in_place, config, file, checkpoint.fingerprint());
}

// The prefix of these images, some of them read as others, and a prompt. Without a cache.
Segment segment_of(std::span<const ImageFeatures> images, int prompt, std::span<const int> read_as) {
  Segment segment;
  for (const ImageFeatures& image : images) segment.prefix += image->rows();
  segment.prefix += prompt;
  segment.rows = segment.prefix;
  if (read_as.empty()) return segment;
  segment.next_places.assign(segment.prefix, -1);
  std::vector<int> last_places(images.size());  // where the last that is read as each image begins
  int place = 0;
  for (int image = 0; image < int(images.size()); ++image) {
    const int read = read_as[image], first = place;
    assert(read <= image && read_as[read] == read && images[read]->rows() == images[image]->rows());
    for (int token = 0; token < images[image]->rows(); ++token, ++place) {
      if (read == image) {
        segment.own_places.push_back(place);
      } else {
        segment.next_places[last_places[read] + token] = place;
      }
    }
    last_places[read] = first;
  }
  for (; place < segment.prefix; ++place) segment.own_places.push_back(place);
  segment.rows = int(segment.own_places.size());
  return segment;
}

// Where weights come from while a model is loaded.
struct WeightSource {
  Checkpoint checkpoint;
  std::optional<Calibration> calibration;
  std::optional<PackedCache> cache;
  std::optional<ReadAhead> ahead;

  WeightSource(const std::filesystem::path& folder, const ModelConfig& config, Precision precision,
               const WeightOptions& options)
      : checkpoint(folder),
        calibration(calibration_of(folder, checkpoint, config, precision, options.calibration)) {
    if (!options.sha256.empty()) require_sha256(folder, options);
    if (calibration) checkpoint.smooth_with(*calibration);
    if (options.record != nullptr) checkpoint.record_inputs(*options.record);
    if (!options.packed_cache.empty()) {
      cache.emplace(packed_file(options.packed_cache, folder, std::string(name_of(precision))),
                    packed_origin(checkpoint.files(),
                                  packing_of(precision) +
                                      (calibration ? ", calibration " + calibration->checksum() : "") +
                                      (options.sha256.empty() ? "" : ", sha256 " + options.sha256)));
      checkpoint.pack_with(*cache);
    }
    const bool packed = cache && cache->serves();
    ahead.emplace(packed ? std::vector{cache->path()} : paths_of(checkpoint.files()),
                  [this, packed] { return packed ? cache->bytes_read() : checkpoint.bytes_read(); });
  }

 private:
  // All is read from these same open files, and each read finds them unchanged.
  void require_sha256(const std::filesystem::path& folder, const WeightOptions& options) const {
    const std::string found = options.hash(checkpoint.files());
    if (found != options.sha256)
      throw ModelError(
          folder.string() + ": the weights have the SHA-256 " + found + ", not " + options.sha256 +
          ", to which they are pinned (model_sha256, --model-sha256); download them again, or pin " +
          "what they are now if you trust it");
  }
};

}  // namespace

struct PaliGemma::Parts {
  ModelConfig config;
  Preprocessor preprocessor;
  std::optional<Tokenizer> tokenizer;  // of a folder
  ModelIdentity identity;
  WeightFiles weight_files;
  ImageEncoder image_encoder;
  Linear projection;
  LanguageModel language_model;
  VerdictTokens yes_no;
  VerdictTokens true_false;
  std::stop_source given_up;
  std::shared_future<std::string> rest;  // what the constructor has left to load; the packed cache's note

  ~Parts() { given_up.request_stop(); }
  Parts(const std::filesystem::path& folder, const ModelConfig& config_, const Checkpoint& checkpoint,
        SlidingWindow window, Precision precision)
      : config(matched(config_, checkpoint)),
        preprocessor(read_preprocessor(folder, config.vision.image_size, config.image_tokens())),
        tokenizer(std::in_place, folder),
        identity(identify(folder, preprocessor.resize)),
        weight_files(checkpoint.files()),
        image_encoder(config.vision, checkpoint, "vision_tower.vision_model.", precision),
        projection(read_projection(checkpoint, config)),
        language_model(config.text, window),
        yes_no(verdict_tokens(*tokenizer, {"yes", "Yes", "YES"}, {"no", "No", "NO"})),
        true_false(verdict_tokens(*tokenizer, {"true", "True", "TRUE"}, {"false", "False", "FALSE"})) {
    identity.precision = name_of(precision);
    if (tokenizer->piece_count() > config.text.vocabulary) {
      throw ModelError(format("{}: the tokenizer has {} pieces, more than the model's vocab_size {}",
                              folder.string(), tokenizer->piece_count(), config.text.vocabulary));
    }
    require_added_tokens(folder);
  }

  Parts(const ModelConfig& config_, const Checkpoint& checkpoint, const std::string& id, SlidingWindow window,
        Precision precision)
      : config(config_),
        preprocessor{.image_size = config.vision.image_size},
        identity{.id = id, .precision = std::string(name_of(precision))},
        image_encoder(config.vision, checkpoint, "vision_tower.vision_model.", precision),
        projection(read_projection(checkpoint, config)),
        language_model(config.text, window) {
    language_model.load(checkpoint, precision);
  }

  void load_rest(std::unique_ptr<WeightSource> from, Precision precision, std::launch when) {
    auto load = [this, from = std::move(from), precision]() mutable {
      const auto source = std::move(from);  // and goes when all is there
      language_model.load(source->checkpoint, precision, given_up.get_token());
      return source->cache ? source->cache->finish() : std::string();
    };
    rest = std::async(when, std::move(load)).share();
  }

  // What a prompt can hold has a row of the embedding, and pictures stand where config.json says.
  void require_added_tokens(const std::filesystem::path& folder) const {
    if (tokenizer->last_id() >= config.text.vocabulary)
      throw ModelError(
          format("{}: the tokenizer's token {} (\"{}\") has no row in the model, whose vocab_size is {}; "
                 "take tokenizer and weights from one checkpoint",
                 folder.string(), tokenizer->last_id(), tokenizer->piece(tokenizer->last_id()),
                 config.text.vocabulary));
    const auto image = tokenizer->added_id("<image>");
    if (image && *image != config.image_token)
      throw ModelError(
          format("{}: <image> is token {} of the tokenizer, and {} in config.json (image_token_index)",
                 folder.string(), *image, config.image_token));
  }

  // Image rows and prompt rows as Gemma's input. [positions, width]
  Matrix embed(std::span<const ImageFeatures> images, std::span<const TokenId> prompt,
               std::span<const TokenId> suffix) const {
    int rows = int(prompt.size() + suffix.size());
    for (const ImageFeatures& image : images) rows += image->rows();
    Matrix x(rows, config.text.width);
    float* target = x.data();
    for (const ImageFeatures& image : images) target = std::copy_n(image->data(), image->size(), target);
    int row = rows - int(prompt.size() + suffix.size());
    language_model.embed(prompt, x.view().row_range(row, int(prompt.size())));
    language_model.embed(suffix, x.view().row_range(row + int(prompt.size()), int(suffix.size())));
    return x;
  }
};

PaliGemma::PaliGemma(const std::filesystem::path& folder, SlidingWindow window, Precision precision,
                     const WeightOptions& options) {
  require_model_folder(folder);
  const ModelConfig config = read_model_config(folder);  // its errors come before those of the weights
  auto source = std::make_unique<WeightSource>(folder, config, precision, options);
  parts_ = std::make_unique<Parts>(folder, config, source->checkpoint, window, precision);
  if (source->calibration) parts_->identity.calibration = source->calibration->checksum();
  parts_->load_rest(std::move(source), precision,
                    options.load_while_used ? std::launch::async : std::launch::deferred);
  if (!options.load_while_used) parts_->rest.get();
}

PaliGemma::PaliGemma(const ModelConfig& config, const Checkpoint& checkpoint, const std::string& id,
                     SlidingWindow window, Precision precision)
    : parts_(std::make_unique<Parts>(config, checkpoint, id, window, precision)) {}

PaliGemma::~PaliGemma() = default;

const ModelConfig& PaliGemma::config() const {
  return parts_->config;
}
const Tokenizer& PaliGemma::tokenizer() const {
  if (!parts_->tokenizer) throw ModelError(identity().id + ": random weights have no tokenizer");
  return *parts_->tokenizer;
}
const ModelIdentity& PaliGemma::identity() const {
  return parts_->identity;
}
const WeightFiles& PaliGemma::weight_files() const {
  return parts_->weight_files;
}
std::string PaliGemma::packed_cache_note() const {
  return parts_->rest.valid() ? parts_->rest.get() : "";
}
void PaliGemma::stop_loading() {
  parts_->given_up.request_stop();
}
const VerdictTokens& PaliGemma::yes_no_tokens() const {
  return parts_->yes_no;
}
const VerdictTokens& PaliGemma::true_false_tokens() const {
  return parts_->true_false;
}
int PaliGemma::image_size() const {
  return parts_->config.vision.image_size;
}

void PaliGemma::require_room(int positions) const {
  const int most = parts_->config.text.max_position_embeddings;
  if (positions > most) {
    throw ModelError(
        format("images, prompt and answer need {} positions, the model has {}; use fewer images, a shorter "
               "prompt or fewer new tokens",
               positions, most));
  }
}

std::size_t PaliGemma::kv_bytes_per_position() const {
  const TextConfig& text = parts_->config.text;
  return std::size_t(2) * text.layers * text.kv_heads * text.head_dim * sizeof(float);
}

std::vector<TokenId> PaliGemma::prompt_ids(std::string_view prefix) const {
  std::vector<TokenId> ids = {parts_->config.bos_token};
  const auto text = tokenizer().encode(std::string(prefix) + "\n");
  ids.insert(ids.end(), text.begin(), text.end());
  return ids;
}

std::unique_ptr<ImageEncoding> PaliGemma::begin_encode(std::span<const Image> images,
                                                       const Observer& observer) const {
  assert(!images.empty());
  std::vector<Matrix> pixels(images.size());
  const double work =
      10.0 * double(images.size()) * parts_->config.vision.image_size * parts_->config.vision.image_size;
  parallel_for(int(images.size()), work, [&](int index) {
    pixels[index] = parts_->preprocessor.pixel_values(parts_->preprocessor.to_square(images[index]));
  });
  return std::unique_ptr<ImageEncoding>(
      new ImageEncoding(*this, parts_->image_encoder.embed(pixels, observer), observer));
}

ImageEncoding::ImageEncoding(const PaliGemma& model, Matrix x, const Observer& observer)
    : model_(model),
      observer_(observer),
      x_(std::move(x)),
      pass_(model.parts_->image_encoder.layers(x_, observer)) {}

std::vector<ImageFeatures> ImageEncoding::finish() {
  const PaliGemma::Parts& parts = *model_.parts_;
  parts.image_encoder.final_norm(x_, observer_);
  const int per_image = parts.config.image_tokens(), width = parts.config.text.width;
  std::vector<std::shared_ptr<Matrix>> projected(std::size_t(x_.rows() / per_image));
  parallel_for_large(int(projected.size()), 2.0 * double(x_.size()) * width, [&](int image) {
    projected[image] = std::make_shared<Matrix>(per_image, width);
    parts.projection(x_.view().row_range(image * per_image, per_image), *projected[image]);
  });
  for (const auto& one : projected) {
    if (observer_) observer_("projector", *one);
  }
  return {projected.begin(), projected.end()};
}

std::vector<ImageFeatures> PaliGemma::encode(std::span<const Image> images, const Observer& observer) const {
  if (images.empty()) return {};
  const auto encoding = begin_encode(images, observer);
  while (encoding->advance(kUnboundedOperations)) {
  }
  return encoding->finish();
}

std::unique_ptr<Prefill> PaliGemma::begin_prefill(std::span<const ImageFeatures> images,
                                                  std::span<const TokenId> prompt, int max_new_tokens,
                                                  const Observer& observer,
                                                  std::span<const int> read_as) const {
  assert(!prompt.empty());
  Segment segment = segment_of(images, int(prompt.size()), read_as);
  require_room(segment.prefix + max_new_tokens);
  std::vector<ImageFeatures> read;
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (read_as.empty() || read_as[i] == int(i)) read.push_back(images[i]);
  }
  Matrix x = parts_->embed(read, prompt, {});
  if (observer) observer("lm.embeds", x);
  return std::unique_ptr<Prefill>(
      new Prefill(parts_->language_model, std::move(x), std::move(segment), max_new_tokens, observer));
}

Sequence PaliGemma::prefill(std::span<const ImageFeatures> images, std::span<const TokenId> prompt,
                            int max_new_tokens, const Observer& observer) const {
  const auto prefill = begin_prefill(images, prompt, max_new_tokens, observer);
  while (prefill->advance(kUnboundedOperations)) {
  }
  return prefill->finish();
}

Matrix PaliGemma::logits(ConstMatrixView hidden) const {
  Matrix logits(hidden.rows, parts_->config.text.vocabulary);
  parts_->language_model.logits(hidden, logits);
  return logits;
}

Matrix PaliGemma::score(std::span<const ImageFeatures> images, std::span<const TokenId> prompt,
                        std::span<const TokenId> suffix, const Observer& observer) const {
  Matrix x = parts_->embed(images, prompt, suffix);
  require_room(x.rows());
  KvCache cache = parts_->language_model.make_cache(x.rows());
  const Segment segment{.cache = &cache, .rows = x.rows(), .prefix = x.rows() - int(suffix.size())};
  parts_->language_model.forward(x, {&segment, 1}, observer, segment.prefix);
  Matrix logits(int(suffix.size()), parts_->config.text.vocabulary);
  parts_->language_model.logits(x.view().row_range(segment.prefix, int(suffix.size())), logits);
  return logits;
}

void PaliGemma::step(std::span<Sequence* const> sequences, std::span<const TokenId> tokens) const {
  assert(sequences.size() == tokens.size());
  const int count = int(sequences.size());
  Matrix x(count, parts_->config.text.width), logits(count, parts_->config.text.vocabulary);
  parts_->language_model.embed(tokens, x);
  std::vector<Segment> segments;
  for (Sequence* sequence : sequences) {
    assert(sequence->length() < sequence->capacity());
    segments.push_back({.cache = &sequence->cache_, .rows = 1, .prefix = 0});
  }
  parts_->language_model.forward(x, segments, {});
  parts_->language_model.logits(x, logits);
  parallel_for(count, Sequence::kWorkALogit * double(logits.size()),
               [&](int i) { sequences[std::size_t(i)]->take(logits.row(i)); });
}

}  // namespace palisade
