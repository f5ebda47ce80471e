#include "model/calibration.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "model/json.h"

namespace palisade {
namespace {

constexpr int kFormat = 1;
constexpr int kRowsAtOnce = 64;
constexpr float kLeast = 1e-3f, kMost = 1e3f;  // of smoothing

void keep_largest(std::vector<float>& largest, ConstMatrixView rows) {
  for (int row = 0; row < rows.rows; ++row) {
    const auto values = rows.row(row);
    for (std::size_t i = 0; i < values.size(); ++i) largest[i] = std::max(largest[i], std::abs(values[i]));
  }
}

// Four digits are more than it takes, and a small file.
Json numbers(std::span<const float> values) {
  Json list = Json::array();
  for (const float value : values) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", double(value));
    list.push_back(std::strtod(text, nullptr));
  }
  return list;
}

}  // namespace

InputStatistics::InputStatistics(const WeightRows& weight)
    : largest_weights_(std::size_t(weight.cols)), largest_inputs_(largest_weights_.size()) {
  Matrix some(kRowsAtOnce, weight.cols);
  for (int first = 0; first < weight.rows; first += kRowsAtOnce) {
    const MatrixView rows = some.view().row_range(0, std::min(kRowsAtOnce, weight.rows - first));
    weight.read(first, rows);
    keep_largest(largest_weights_, rows);
  }
}

void InputStatistics::see(ConstMatrixView x) {
  seen_ = true;
  keep_largest(largest_inputs_, x);
}

Smoothing InputStatistics::smoothing() const {
  Smoothing smoothing;
  double logarithms = 0;
  for (std::size_t i = 0; i < largest_inputs_.size(); ++i) {
    smoothing.push_back(
        std::sqrt(std::max(largest_inputs_[i], 1e-8f) / std::max(largest_weights_[i], 1e-8f)));
    logarithms += std::log(smoothing.back());
  }
  const auto mean = float(std::exp(logarithms / double(smoothing.size())));
  for (float& value : smoothing) value = std::clamp(value / mean, kLeast, kMost);
  return smoothing;
}

std::shared_ptr<InputStatistics> InputNotes::note(const std::string& product, const WeightRows& weight) {
  std::shared_ptr<InputStatistics>& statistics = products_[product];
  if (!statistics) statistics = std::make_shared<InputStatistics>(weight);
  return statistics;
}

std::map<std::string, Smoothing> InputNotes::smoothing() const {
  std::map<std::string, Smoothing> all;
  for (const auto& [product, statistics] : products_) {
    if (statistics->seen()) all[product] = statistics->smoothing();
  }
  return all;
}

void write_calibration(const std::filesystem::path& file, const InputNotes& notes) {
  Json smoothing = Json::object();
  for (const auto& [product, values] : notes.smoothing()) smoothing[product] = numbers(values);
  std::ofstream out(file);
  out << Json{{"format", kFormat}, {"weights", notes.fingerprint}, {"smoothing", std::move(smoothing)}}.dump()
      << '\n'
      << std::flush;
  if (!out) throw ModelError(file.string() + ": cannot be written");
}

std::map<std::string, Smoothing> read_calibration(const std::filesystem::path& file,
                                                  const std::string& fingerprint) {
  const auto fail = [&](const std::string& why) {
    throw ModelError(file.string() + ": " + why +
                     "; make it anew with `palisade model calibrate`, or remove it");
  };
  const Json json = read_json(file);
  std::map<std::string, Smoothing> all;
  try {
    if (json.at("format") != kFormat) fail("is of format " + json.at("format").dump() + ", not 1");
    if (json.at("weights") != fingerprint) fail("belongs to other weights");
    for (const auto& [product, list] : json.at("smoothing").items()) {
      Smoothing& smoothing = all[product];
      for (const Json& value : list) smoothing.push_back(value.get<float>());
      if (!std::ranges::all_of(smoothing, [](float value) { return value >= kLeast && value <= kMost; }))
        fail("\"" + product + "\" is smoothed by what is not from 0.001 to 1000");
    }
  } catch (const Json::exception&) {
    fail("is no calibration");
  }
  return all;
}

}  // namespace palisade
