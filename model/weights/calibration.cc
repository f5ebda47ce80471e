#include "model/weights/calibration.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <numeric>

#include "base/format.h"
#include "base/json.h"
#include "model/error.h"
#include "model/tensor/eigen.h"
#include "model/weights/checksum.h"

namespace palisade {
namespace {

constexpr int kFormat = 1;
constexpr std::size_t kMaxBytes = std::size_t(64) << 20;
constexpr float kMinFactor = 1e-3f, kMaxFactor = 1e3f;

void keep_largest(ConstMatrixView rows, std::vector<float>& largest) {
  auto kept = array_of(std::span(largest));
  for (int row = 0; row < rows.rows; ++row) {
    const auto magnitudes = array_of(rows.row(row)).abs();
    kept = magnitudes.isNaN().select(std::numeric_limits<float>::infinity(), kept.max(magnitudes));
  }
}

// Matmuls that share an input, and what makes it.
struct Site {
  std::vector<std::string> matmuls;  // as they are packed together
  std::vector<std::string> before;   // vectors, or rows of a matmul
  int inputs = 0;
  // Of grouped queries, whose heads have the values of one: how many, and how wide each is.
  int heads_together = 1;
  int head_dim = 1;
  bool beside_one = false;

  int channels() const { return inputs / heads_together; }
  int channel_of(int input) const {
    return input / (head_dim * heads_together) * head_dim + input % head_dim;
  }
  // WeightRows::name
  std::string name() const {
    std::string all;
    for (const std::string& matmul : matmuls) all += (all.empty() ? "" : "+") + matmul;
    return all;
  }
};

std::vector<Site> sites_of(const ModelConfig& config) {
  std::vector<Site> sites;
  for (int layer = 0; layer < config.vision.layers; ++layer) {
    const std::string name = format("vision_tower.vision_model.encoder.layers.{}.", layer),
                      attention = name + "self_attn.";
    const int width = config.vision.width;
    sites.push_back(
        {.matmuls = {attention + "q_proj.weight", attention + "k_proj.weight", attention + "v_proj.weight"},
         .before = {name + "layer_norm1.weight", name + "layer_norm1.bias"},
         .inputs = width});
    sites.push_back({.matmuls = {attention + "out_proj.weight"},
                     .before = {attention + "v_proj.weight", attention + "v_proj.bias"},
                     .inputs = width});
    sites.push_back({.matmuls = {name + "mlp.fc1.weight"},
                     .before = {name + "layer_norm2.weight", name + "layer_norm2.bias"},
                     .inputs = width});
  }
  const TextConfig& text = config.text;
  const char* const mlp_norm = text.architecture == TextArchitecture::kGemma2 ? "pre_feedforward_layernorm"
                                                                              : "post_attention_layernorm";
  for (int layer = 0; layer < text.layers; ++layer) {
    const std::string name = format("language_model.model.layers.{}.", layer),
                      attention = name + "self_attn.", mlp = name + "mlp.";
    sites.push_back(
        {.matmuls = {attention + "q_proj.weight", attention + "k_proj.weight", attention + "v_proj.weight"},
         .before = {name + "input_layernorm.weight"},
         .inputs = text.width,
         .beside_one = true});
    sites.push_back({.matmuls = {attention + "o_proj.weight"},
                     .before = {attention + "v_proj.weight"},
                     .inputs = text.heads * text.head_dim,
                     .heads_together = text.heads / text.kv_heads,
                     .head_dim = text.head_dim});
    sites.push_back({.matmuls = {mlp + "gate_proj.weight", mlp + "up_proj.weight"},
                     .before = {name + mlp_norm + ".weight"},
                     .inputs = text.width,
                     .beside_one = true});
    sites.push_back({.matmuls = {mlp + "down_proj.weight"},
                     .before = {mlp + "up_proj.weight"},
                     .inputs = text.mlp_width});
  }
  return sites;
}

// A channel without weights, or in which nothing came, is left as it is.
Eigen::ArrayXf smoothing_of(const Site& site, const MatmulInputs& seen) {
  Eigen::ArrayXf inputs = Eigen::ArrayXf::Zero(site.channels()), weights = inputs;
  for (int input = 0; input < site.inputs; ++input) {
    const int channel = site.channel_of(input);
    inputs[channel] = std::max(inputs[channel], seen.largest_inputs[input]);
    weights[channel] = std::max(weights[channel], seen.largest_weights[input]);
  }
  if (!inputs.isFinite().all() || !weights.isFinite().all())
    throw ModelError("\"" + site.name() +
                     "\": inputs or weights are not finite; the model cannot be calibrated");
  const auto alive = (inputs > 0 && weights > 0).eval();
  const Eigen::ArrayXf ratios = alive.select(inputs.sqrt() / weights.sqrt(), 1);
  const auto mean = float(std::exp(ratios.cast<double>().log().sum() / double(alive.count())));
  return alive.select((ratios / mean).max(kMinFactor).min(kMaxFactor), 1);
}

// Four digits are more than it takes, and make a small file.
Json numbers(const Eigen::ArrayXf& values) {
  Json list = Json::array();
  for (const float value : values) {
    list.push_back(std::strtod(format("{:.4g}", double(value)).c_str(), nullptr));
  }
  return list;
}

[[noreturn]] void fail(const std::string& what, const std::string& why) {
  throw ModelError(what + ": " + why + "; make it anew with `palisade model calibrate`, or remove it");
}

std::vector<float> factors_of(const Json& smoothing, const Site& site, const std::string& what) {
  const std::string name = site.name();
  const auto found = smoothing.find(name);
  if (found == smoothing.end()) fail(what, "\"" + name + "\" is missing");
  if (!found->is_array() || found->size() != std::size_t(site.channels()))
    fail(what, format("\"{}\" is no list of {} numbers", name, site.channels()));
  std::vector<float> factors;
  for (const Json& value : *found) {
    factors.push_back(value.is_number() ? value.get<float>() : 0);
    if (!(factors.back() >= kMinFactor && factors.back() <= kMaxFactor))
      fail(what, "\"" + name + "\" holds " + value.dump() + ", expected numbers from 0.001 to 1000");
  }
  return factors;
}

}  // namespace

MatmulInputs::MatmulInputs(const WeightRows& weight)
    : largest_weights(std::size_t(weight.cols)), largest_inputs(largest_weights.size()) {
  constexpr int kRowsAtOnce = 64;
  Matrix some(kRowsAtOnce, weight.cols);
  for (int first = 0; first < weight.rows; first += kRowsAtOnce) {
    const MatrixView rows = some.view().row_range(0, std::min(kRowsAtOnce, weight.rows - first));
    weight.read(first, rows);
    keep_largest(rows, largest_weights);
  }
}

void MatmulInputs::see(ConstMatrixView x) {
  keep_largest(x, largest_inputs);
}

Calibration::Calibration(const ModelConfig& config, const RecordedInputs& inputs,
                         const std::string& fingerprint) {
  Json smoothing = Json::object();
  for (const Site& site : sites_of(config)) {
    const auto seen = inputs.find(site.name());
    if (seen == inputs.end() ||
        std::ranges::all_of(seen->second.largest_inputs, [](float most) { return most == 0; }))
      throw ModelError("\"" + site.name() + "\" has seen nothing; calibrate with pictures and questions");
    smoothing[site.name()] = numbers(smoothing_of(site, seen->second));
  }
  text_ =
      Json{{"format", kFormat}, {"weights", fingerprint}, {"smoothing", std::move(smoothing)}}.dump() + "\n";
  set_up(config, fingerprint, "calibration");
}

Calibration::Calibration(const ModelConfig& config, const std::filesystem::path& file,
                         const std::string& fingerprint)
    : text_(read_text_file(file, kMaxBytes)) {
  set_up(config, fingerprint, file.string());
}

void Calibration::set_up(const ModelConfig& config, const std::string& fingerprint, const std::string& what) {
  const Json json = parse_json(text_, what);
  if (!json.is_object() || !json.contains("smoothing") || !json["smoothing"].is_object())
    fail(what, "is no calibration");
  if (json.value("format", Json()) != kFormat) fail(what, "is of another format than 1");
  if (json.value("weights", Json()) != fingerprint) fail(what, "belongs to other weights");
  const Json& smoothing = json["smoothing"];
  const std::vector<Site> sites = sites_of(config);
  if (smoothing.size() > sites.size()) fail(what, "has more matmuls than the model");
  for (const Site& site : sites) {
    const std::vector<float> factors = factors_of(smoothing, site, what);
    std::vector<float> columns, inverse;
    for (int input = 0; input < site.inputs; ++input) columns.push_back(factors[site.channel_of(input)]);
    for (const float factor : factors) inverse.push_back(1 / factor);
    for (const std::string& matmul : site.matmuls) changes_[matmul].columns = columns;
    for (const std::string& tensor : site.before) {
      changes_[tensor].rows = inverse;
      changes_[tensor].beside_one = site.beside_one;
    }
  }
}

std::string Calibration::checksum() const {
  return palisade::checksum(std::as_bytes(std::span(text_)));
}

void Calibration::apply(const std::string& tensor, std::span<const std::int64_t> shape, std::size_t first,
                        std::span<float> values) const {
  const auto found = changes_.find(tensor);
  if (found == changes_.end()) return;
  const Change& change = found->second;
  const auto width =
      std::size_t(std::accumulate(shape.begin() + 1, shape.end(), std::int64_t(1), std::multiplies<>()));
  for (std::size_t done = 0; done < values.size();) {
    const std::size_t row = (first + done) / width, column = (first + done) % width;
    const auto part = values.subspan(done, std::min(width - column, values.size() - done));
    for (std::size_t i = 0; i < part.size() && !change.columns.empty(); ++i)
      part[i] *= change.columns[column + i];
    const float factor = change.rows.empty() ? 1 : change.rows[row];
    for (float& value : part) value = change.beside_one ? (1 + value) * factor - 1 : value * factor;
    done += part.size();
  }
}

void Calibration::apply_to_added(const std::string& matrix, MatrixView a, MatrixView b,
                                 std::span<float> bias) const {
  const auto found = changes_.find(matrix);
  if (found == changes_.end()) return;
  const Change& change = found->second;
  for (int row = 0; row < a.rows && !change.columns.empty(); ++row) {
    for (int i = 0; i < a.cols; ++i) a.row(row)[i] *= change.columns[i];
  }
  for (int row = 0; row < b.rows && !change.rows.empty(); ++row) {
    for (float& value : b.row(row)) value *= change.rows[row];
    if (!bias.empty()) bias[row] *= change.rows[row];
  }
}

}  // namespace palisade
