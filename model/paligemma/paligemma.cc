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
#include "model/paligemma/prompt_segment.h"
#include "model/paligemma/weight_source.h"
#include "model/siglip/image_encoder.h"
#include "model/tensor/parallel.h"
#include "model/weights/checkpoint.h"
#include "model/weights/checkpoint_match.h"

namespace palisade {

struct PaliGemma::Parts {
  ModelConfig config;
  std::filesystem::path folder;  // or empty
  SlidingWindow window;
  Precision precision;
  std::shared_ptr<const Calibration> calibration;
  Preprocessor preprocessor;
  std::optional<Tokenizer> tokenizer;  // of a folder
  ModelIdentity identity;
  WeightFiles weight_files;
  ImageEncoder image_encoder;
  Linear projection;
  LanguageModel language_model;
  VerdictTokens yes_no;
  VerdictTokens true_false;
  LocationTokens locations;
  std::stop_source given_up;
  std::shared_future<std::string> rest;  // what the constructor has left to load; the packed cache's note

  ~Parts() { given_up.request_stop(); }
  Parts(const std::filesystem::path& folder_, const ModelConfig& config_, const Checkpoint& checkpoint,
        SlidingWindow window_, Precision precision_)
      : config(matched(config_, checkpoint)),
        folder(folder_),
        window(window_),
        precision(precision_),
        preprocessor(read_preprocessor(folder, config.vision.image_size, config.image_tokens())),
        tokenizer(std::in_place, folder),
        identity(identify(folder, preprocessor.resize)),
        weight_files(checkpoint.files()),
        image_encoder(config.vision, checkpoint, kImageTower, precision),
        projection(read_projection(checkpoint, config)),
        language_model(config.text, window),
        yes_no(verdict_tokens(*tokenizer, {"yes", "Yes", "YES"}, {"no", "No", "NO"})),
        true_false(verdict_tokens(*tokenizer, {"true", "True", "TRUE"}, {"false", "False", "FALSE"})),
        locations(palisade::location_tokens(*tokenizer)) {
    identity.precision = name_of(precision);
    if (tokenizer->piece_count() > config.text.vocabulary) {
      throw ModelError(format("{}: the tokenizer has {} pieces, more than the model's vocab_size {}",
                              folder.string(), tokenizer->piece_count(), config.text.vocabulary));
    }
    require_added_tokens();
  }

  Parts(const ModelConfig& config_, const Checkpoint& checkpoint, const std::string& id,
        SlidingWindow window_, Precision precision_)
      : config(config_),
        window(window_),
        precision(precision_),
        preprocessor{.image_size = config.vision.image_size},
        identity{.id = id, .precision = std::string(name_of(precision))},
        image_encoder(config.vision, checkpoint, kImageTower, precision),
        projection(read_projection(checkpoint, config)),
        language_model(config.text, window) {
    language_model.load(checkpoint, precision);
  }

  void load_rest(std::unique_ptr<WeightSource> from, std::launch when) {
    auto load = [this, from = std::move(from)]() mutable {
      const auto source = std::move(from);  // and goes when all is there
      language_model.load(source->checkpoint, precision, given_up.get_token());
      return source->cache ? source->cache->finish() : std::string();
    };
    rest = std::async(when, std::move(load)).share();
  }

  // What a prompt can hold has a row of the embedding, and pictures stand where config.json says.
  void require_added_tokens() const {
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

  const ImageEncoder& image_encoder_of(const Adapter* adapter) const {
    return adapter != nullptr && adapter->own_image_encoder ? *adapter->own_image_encoder : image_encoder;
  }
  const LanguageModel& language_model_of(const Adapter* adapter) const {
    return adapter != nullptr && adapter->own_language_model ? *adapter->own_language_model : language_model;
  }

  // Image rows and prompt rows as Gemma's input. [positions, width]
  Matrix embed(const LanguageModel& language, std::span<const ImageFeatures> images,
               std::span<const TokenId> prompt, std::span<const TokenId> suffix) const {
    int rows = int(prompt.size() + suffix.size());
    for (const ImageFeatures& image : images) rows += image->rows();
    Matrix x(rows, config.text.width);
    float* target = x.data();
    for (const ImageFeatures& image : images) target = std::copy_n(image->data(), image->size(), target);
    int row = rows - int(prompt.size() + suffix.size());
    language.embed(prompt, x.view().row_range(row, int(prompt.size())));
    language.embed(suffix, x.view().row_range(row + int(prompt.size()), int(suffix.size())));
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
  parts_->calibration = source->calibration;
  parts_->load_rest(std::move(source), options.load_while_used ? std::launch::async : std::launch::deferred);
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
const LocationTokens& PaliGemma::location_tokens() const {
  return parts_->locations;
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
                                                       const Observer& observer,
                                                       SharedAdapter adapter) const {
  assert(!images.empty());
  std::vector<Matrix> pixels(images.size());
  const double work =
      10.0 * double(images.size()) * parts_->config.vision.image_size * parts_->config.vision.image_size;
  parallel_for(int(images.size()), work, [&](int index) {
    pixels[index] = parts_->preprocessor.pixel_values(parts_->preprocessor.to_square(images[index]));
  });
  Matrix x = parts_->image_encoder_of(adapter.get()).embed(pixels, observer);
  return std::unique_ptr<ImageEncoding>(new ImageEncoding(*this, std::move(x), observer, std::move(adapter)));
}

ImageEncoding::ImageEncoding(const PaliGemma& model, Matrix x, const Observer& observer,
                             SharedAdapter adapter)
    : model_(model),
      observer_(observer),
      adapter_(std::move(adapter)),
      x_(std::move(x)),
      pass_(model.parts_->image_encoder_of(adapter_.get())
                .layers(x_, observer, adapter_ ? &adapter_->image_encoder : nullptr)) {}

std::vector<ImageFeatures> ImageEncoding::finish() {
  const PaliGemma::Parts& parts = *model_.parts_;
  parts.image_encoder_of(adapter_.get()).final_norm(x_, observer_);
  const int per_image = parts.config.image_tokens(), width = parts.config.text.width;
  std::vector<std::shared_ptr<Matrix>> projected(std::size_t(x_.rows() / per_image));
  parallel_for_large(int(projected.size()), 2.0 * double(x_.size()) * width, [&](int image) {
    projected[image] = std::make_shared<Matrix>(per_image, width);
    const auto rows = x_.view().row_range(image * per_image, per_image);
    if (!adapter_) return parts.projection(rows, *projected[image]);
    const Linear& projection = adapter_->own_projection ? *adapter_->own_projection : parts.projection;
    projection(rows, *projected[image], {}, rows_of(adapter_->projection, per_image));
  });
  for (const auto& one : projected) {
    if (observer_) observer_("projector", *one);
  }
  return {projected.begin(), projected.end()};
}

std::vector<ImageFeatures> PaliGemma::encode(std::span<const Image> images, const Observer& observer,
                                             const SharedAdapter& adapter) const {
  if (images.empty()) return {};
  const auto encoding = begin_encode(images, observer, adapter);
  while (encoding->advance(kUnboundedOperations)) {
  }
  return encoding->finish();
}

std::unique_ptr<Prefill> PaliGemma::begin_prefill(std::span<const ImageFeatures> images,
                                                  std::span<const TokenId> prompt, int max_new_tokens,
                                                  const Observer& observer,
                                                  const PrefillOptions& options) const {
  assert(!prompt.empty());
  const std::span<const int> read_as = options.read_as;
  const Adapter* const adapter = options.adapter.get();
  const LanguageModel& language = parts_->language_model_of(adapter);
  Segment segment = segment_of(images, int(prompt.size()), read_as);
  segment.adapter = adapter != nullptr ? &adapter->language : nullptr;
  require_room(segment.prefix + max_new_tokens);
  Matrix x = parts_->embed(language, images_read(images, read_as), prompt, {});
  if (observer) observer("lm.embeds", x);
  Sequence sequence(language.make_cache(segment.positions() + max_new_tokens), parts_->config.text.vocabulary,
                    options.adapter);
  return std::unique_ptr<Prefill>(
      new Prefill(language, std::move(x), std::move(segment), std::move(sequence), observer));
}

std::unique_ptr<Prefill> PaliGemma::begin_scoring(std::span<const ImageFeatures> images,
                                                  std::span<const TokenId> prompt,
                                                  Continuations continuations,
                                                  const PrefillOptions& options) const {
  assert(!prompt.empty());
  const Adapter* const adapter = options.adapter.get();
  const LanguageModel& language = parts_->language_model_of(adapter);
  Segment segment = segment_of(images, int(prompt.size()), options.read_as);
  segment.adapter = adapter != nullptr ? &adapter->language : nullptr;
  // The last token of each is scored, and followed by nothing.
  std::vector<TokenId> tails;
  std::size_t longest = 0;
  for (const std::vector<TokenId>& continuation : continuations) {
    tails.insert(tails.end(), continuation.begin(), continuation.end() - 1);
    longest = std::max(longest, continuation.size());
  }
  require_room(segment.prefix + int(longest));
  Matrix x = parts_->embed(language, images_read(images, options.read_as), prompt, tails);
  Sequence sequence(language.make_cache(segment.positions()), parts_->config.text.vocabulary,
                    options.adapter);
  return std::unique_ptr<Prefill>(new Prefill(language, std::move(x), std::move(segment), std::move(sequence),
                                              {}, std::move(continuations)));
}

Sequence PaliGemma::prefill(std::span<const ImageFeatures> images, std::span<const TokenId> prompt,
                            int max_new_tokens, const Observer& observer,
                            const PrefillOptions& options) const {
  const auto prefill = begin_prefill(images, prompt, max_new_tokens, observer, options);
  while (prefill->advance(kUnboundedOperations)) {
  }
  return prefill->finish();
}

Matrix PaliGemma::logits(ConstMatrixView hidden, const SharedAdapter& adapter) const {
  Matrix logits(hidden.rows, parts_->config.text.vocabulary);
  parts_->language_model_of(adapter.get())
      .logits(hidden, logits, adapter ? rows_of(adapter->language.head, hidden.rows) : RowAdapters());
  return logits;
}

Matrix PaliGemma::score(std::span<const ImageFeatures> images, std::span<const TokenId> prompt,
                        std::span<const TokenId> suffix, const Observer& observer,
                        const SharedAdapter& adapter) const {
  const LanguageModel& language = parts_->language_model_of(adapter.get());
  Matrix x = parts_->embed(language, images, prompt, suffix);
  require_room(x.rows());
  KvCache cache = language.make_cache(x.rows());
  const Segment segment{.cache = &cache,
                        .rows = x.rows(),
                        .prefix = x.rows() - int(suffix.size()),
                        .adapter = adapter ? &adapter->language : nullptr};
  language.forward(x, {&segment, 1}, observer, segment.prefix);
  return logits(x.view().row_range(segment.prefix, int(suffix.size())), adapter);
}

SharedAdapter PaliGemma::load_adapter(const std::filesystem::path& folder) const {
  return adapt(read_adapter(folder, parts_->config));
}

SharedAdapter PaliGemma::adapt(AdapterTensors tensors) const {
  return make_adapter({.config = parts_->config,
                       .image_encoder = parts_->image_encoder,
                       .folder = parts_->folder,
                       .files = parts_->weight_files,
                       .window = parts_->window,
                       .precision = parts_->precision,
                       .calibration = parts_->calibration.get()},
                      std::move(tensors));
}

void PaliGemma::step(std::span<Sequence* const> sequences, std::span<const TokenId> tokens) const {
  assert(sequences.size() == tokens.size());
  std::vector<Stepped> all;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    assert(sequences[i]->length() < sequences[i]->capacity());
    all.push_back({sequences[i], tokens[i], &parts_->language_model_of(sequences[i]->adapter_.get())});
  }
  // Rows of one adapter stand together, so that it is read once for them.
  std::ranges::stable_sort(all, [](const Stepped& a, const Stepped& b) {
    return std::pair(a.model, a.sequence->adapter_.get()) < std::pair(b.model, b.sequence->adapter_.get());
  });
  for (auto first = all.begin(); first != all.end();) {
    const auto end =
        std::find_if(first, all.end(), [&](const Stepped& one) { return one.model != first->model; });
    step_together({first, end});
    first = end;
  }
}

void PaliGemma::step_together(std::span<const Stepped> all) const {
  const int count = int(all.size());
  const LanguageModel& language = *all.front().model;
  Matrix x(count, parts_->config.text.width), logits(count, parts_->config.text.vocabulary);
  std::vector<Segment> segments;
  std::vector<TokenId> tokens;
  RowAdapters heads;
  for (int row = 0; row < count; ++row) {
    Sequence& sequence = *all[row].sequence;
    const LanguageAdapter* const adapter = sequence.adapter_ ? &sequence.adapter_->language : nullptr;
    segments.push_back({.cache = &sequence.cache_, .rows = 1, .prefix = 0, .adapter = adapter});
    tokens.push_back(all[row].token);
    if (adapter == nullptr || !adapter->head) continue;
    heads.resize(std::size_t(count));
    heads[row] = &adapter->head;
  }
  language.embed(tokens, x);
  language.forward(x, segments, {});
  language.logits(x, logits, heads);
  parallel_for(count, Sequence::kWorkALogit * double(logits.size()),
               [&](int i) { all[i].sequence->take(logits.row(i)); });
}

}  // namespace palisade
