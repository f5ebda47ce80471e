#include "model/weights/calibration.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "base/json.h"
#include "base/whole_file.h"
#include "model/config/model_shapes.h"
#include "model/error.h"
#include "model/matmul/bare_matmul.h"
#include "model/paligemma/paligemma.h"
#include "model/weights/checkpoint.h"
#include "model/weights/random_checkpoint.h"
#include "tests/ingest/test_files.h"
#include "tests/model/golden.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;

constexpr char kQkv[] =
    "language_model.model.layers.0.self_attn.q_proj.weight+"
    "language_model.model.layers.0.self_attn.k_proj.weight+"
    "language_model.model.layers.0.self_attn.v_proj.weight";
constexpr char kOut[] = "language_model.model.layers.0.self_attn.o_proj.weight";

// Random weights with outliers as in Gemma: every 61st channel that a norm, v or up makes is 20 times as
// large.
class CheckpointWithOutliers : public RandomCheckpoint {
 protected:
  void fill(const std::string& name, std::span<const std::int64_t> shape, std::size_t first,
            std::span<float> target) const override {
    RandomCheckpoint::fill(name, shape, first, target);
    const bool norm = name.find("norm") != std::string::npos && name.ends_with("weight");
    const bool matmul = name.ends_with("v_proj.weight") || name.ends_with("up_proj.weight");
    if (!norm && !matmul) return;
    const auto width = std::size_t(shape.size() > 1 ? shape[1] : 1);
    for (std::size_t i = 0; i < target.size(); ++i) {
      if ((first + i) / width % 61 == 7) target[i] = norm ? 19 : 20 * target[i];
    }
  }
};

// Hidden states of three prompt tokens behind a picture of stripes.
Matrix hidden_of(const PaliGemma& model, const std::string& layer) {
  const int size = model.image_size();
  std::vector<std::uint8_t> rgb(std::size_t(size) * size * 3);
  for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = std::uint8_t(i / 5 * 37);
  const Image image(size, size, std::move(rgb));
  Matrix seen;
  const Observer observer = [&](std::string_view name, ConstMatrixView rows) {
    if (name != layer) return;
    seen = Matrix(rows.rows, rows.cols);
    for (int row = 0; row < rows.rows; ++row) std::ranges::copy(rows.row(row), seen.row(row).begin());
  };
  const auto features = model.encode({&image, 1});
  model.prefill(features, std::array<TokenId, 3>{2, 5, 9}, 1, observer);
  return seen;
}

// The statistics that a model's matmuls have recorded.
RecordedInputs recorded(const ModelConfig& config, Checkpoint& checkpoint) {
  RecordedInputs inputs;
  checkpoint.record_inputs(inputs);
  hidden_of(PaliGemma(config, checkpoint, "recorded"), "lm.final_norm");
  return inputs;
}

struct Tiny {
  ModelConfig config = read_model_config(kModels / "paligemma1-tiny");
  Checkpoint checkpoint{kModels / "paligemma1-tiny"};
  RecordedInputs inputs = recorded(config, checkpoint);
  Calibration calibration{config, inputs, checkpoint.fingerprint()};

  Json smoothing() const { return parse_json(calibration.text(), "it")["smoothing"]; }
};

}  // namespace

TEST_CASE("a smoothed model computes the same, though its weights are others") {
  for (const char* const name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    CAPTURE(name);
    const ModelConfig config = read_model_config(kModels / name);
    Checkpoint checkpoint(kModels / name), smoothed(kModels / name);
    const Calibration calibration(config, recorded(config, checkpoint), checkpoint.fingerprint());
    smoothed.smooth_with(calibration);
    const std::string v = "language_model.model.layers.0.self_attn.v_proj.weight";
    const int rows = config.text.kv_heads * config.text.head_dim, cols = config.text.width;
    CHECK(relative_error(smoothed.read(v, {rows, cols}), Checkpoint(kModels / name).read(v, {rows, cols})) >
          0.05);
    const PaliGemma plain(kModels / name), other(config, smoothed, name);
    for (const char* const layer : {"lm.embeds", "lm.final_norm"})
      CHECK(relative_error(hidden_of(other, layer), hidden_of(plain, layer)) < 1e-4);
  }
}

TEST_CASE("where channels stand out in inputs, calibrated int8 loses less") {
  if (!has_matmul(Precision::kInt8)) {
    MESSAGE("this CPU has no such matmul");
    return;
  }
  for (const char* const shape : {"tiny", "tiny2"}) {
    CAPTURE(shape);
    const ModelConfig config = *config_of_shape(shape);
    CheckpointWithOutliers recording, calibrated;
    const Calibration calibration(config, recorded(config, recording), recording.fingerprint());
    calibrated.smooth_with(calibration);
    const Matrix exact = hidden_of(PaliGemma(config, CheckpointWithOutliers(), shape), "lm.final_norm");
    const auto loss = [&](const Checkpoint& checkpoint) {
      return relative_error(
          hidden_of(PaliGemma(config, checkpoint, shape, SlidingWindow::kTransformers, Precision::kInt8),
                    "lm.final_norm"),
          exact);
    };
    const double without = loss(CheckpointWithOutliers()), with = loss(calibrated);
    CHECK(with < 0.85 * without);
  }
}

TEST_CASE("smoothing is the root of inputs over weights, and heads that share values share it") {
  const Tiny tiny;
  const MatmulInputs& seen = tiny.inputs.at(kQkv);
  const auto factors = tiny.smoothing()[kQkv].get<std::vector<double>>();
  REQUIRE(factors.size() == 64);
  const double first = std::sqrt(seen.largest_inputs[0] / seen.largest_weights[0]) / factors[0];
  double logarithms = 0;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    logarithms += std::log(factors[i]);
    CHECK(std::sqrt(seen.largest_inputs[i] / seen.largest_weights[i]) / factors[i] ==
          doctest::Approx(first).epsilon(2e-3));
  }
  CHECK(std::abs(logarithms / 64) < 2e-3);

  // Four query heads of 16 channels share one head of values.
  const MatmulInputs& out = tiny.inputs.at(kOut);
  const auto shared = tiny.smoothing()[kOut].get<std::vector<double>>();
  REQUIRE(shared.size() == 16);
  const auto largest = [](const std::vector<float>& of, int channel) {
    double most = 0;
    for (int head = 0; head < 4; ++head) most = std::max(most, double(of[head * 16 + channel]));
    return most;
  };
  const auto root = [&](int channel) {
    return std::sqrt(largest(out.largest_inputs, channel) / largest(out.largest_weights, channel));
  };
  for (int channel = 1; channel < 16; ++channel)
    CHECK(shared[channel] / shared[0] == doctest::Approx(root(channel) / root(0)).epsilon(2e-3));
  const Json smoothing = tiny.smoothing();
  for (const auto& [site, list] : smoothing.items()) {
    CHECK(site.find("fc2") == std::string::npos);
    CHECK(site.find("embed") == std::string::npos);
  }
}

TEST_CASE("channels in which nothing came are left, absurd ones bounded, and what is not finite is refused") {
  Tiny tiny;
  MatmulInputs& seen = tiny.inputs.at(kQkv);
  const auto factor = [&](int channel) {
    const Calibration calibration(tiny.config, tiny.inputs, "f");
    return parse_json(calibration.text(), "it")["smoothing"][kQkv][channel].get<double>();
  };
  seen.largest_inputs[3] = 0;
  seen.largest_weights[4] = 0;
  seen.largest_inputs[5] = 1e30f;
  seen.largest_inputs[6] = 1e-30f;
  CHECK(factor(3) == 1);
  CHECK(factor(4) == 1);
  CHECK(factor(5) == 1000);
  CHECK(factor(6) == 0.001);
  Matrix x(2, 64);
  std::fill_n(x.data(), x.size(), 0.0f);
  SUBCASE("not a number") {
    x.row(0)[9] = std::numeric_limits<float>::quiet_NaN();
    x.row(1)[9] = 1;
    seen.see(x);
    CHECK_THROWS_WITH_AS(factor(0), doctest::Contains("not finite"), ModelError);
  }
  SUBCASE("infinite") {
    x.row(0)[9] = -std::numeric_limits<float>::infinity();
    seen.see(x);
    CHECK_THROWS_WITH_AS(factor(0), doctest::Contains("not finite"), ModelError);
  }
  SUBCASE("nothing at all") {
    std::ranges::fill(seen.largest_inputs, 0.0f);
    CHECK_THROWS_WITH_AS(factor(0), doctest::Contains("has seen nothing"), ModelError);
    tiny.inputs.erase(kQkv);
    CHECK_THROWS_WITH_AS(factor(0), doctest::Contains("has seen nothing"), ModelError);
  }
}

TEST_CASE("a damaged calibration is refused with its name and the reason") {
  const Tiny tiny;
  const test::TestFolder folder;
  const fs::path file = folder.path() / "calibration.json";
  const auto refused = [&](const std::string& text, const std::string& why) {
    CAPTURE(why);
    write_whole_file(file, text);
    try {
      const Calibration read(tiny.config, file, tiny.checkpoint.fingerprint());
      FAIL("it was taken");
    } catch (const Error& error) {
      CHECK(std::string(error.what()).find(file.string()) != std::string::npos);
      CHECK(std::string(error.what()).find(why) != std::string::npos);
    }
  };
  const std::string text = tiny.calibration.text();
  const auto changed = [&](const std::function<void(Json&)>& change) {
    Json json = parse_json(text, "it");
    change(json);
    return json.dump();
  };
  const auto with = [&](const Json& value) {
    return changed([&](Json& json) { json["smoothing"][kQkv][2] = value; });
  };

  refused("", "calibration.json");
  refused(text.substr(0, text.size() / 2), "calibration.json");
  refused(std::string(100'000, '['), "calibration.json");
  for (const char* const other : {"null", "[]", "{}", "3", "{\"smoothing\": []}"})
    refused(other, "is no calibration");
  refused(changed([](Json& json) { json["format"] = 2; }), "another format");
  refused(changed([](Json& json) { json.erase("format"); }), "another format");
  refused(changed([](Json& json) { json["weights"] = "0123456789abcdef"; }), "other weights");
  refused(changed([](Json& json) { json["weights"] = 7; }), "other weights");
  refused(changed([](Json& json) { json["smoothing"].erase(kQkv); }), "is missing");
  refused(changed([](Json& json) { json["smoothing"]["more"] = {1, 2}; }), "more matmuls");
  refused(changed([](Json& json) { json["smoothing"][kQkv] = 3; }), "no list of 64");
  refused(changed([](Json& json) { json["smoothing"][kQkv].push_back(1); }), "no list of 64");
  refused(changed([](Json& json) { json["smoothing"][kQkv].erase(0); }), "no list of 64");
  for (const Json& value : {Json(), Json("1"), Json(true), Json(0), Json(-1), Json(1e-4), Json(1e4),
                            Json(1e300), Json::array({1})})
    refused(with(value), "expected numbers");
  std::string not_a_number = text;
  not_a_number.replace(not_a_number.find("[") + 1, 1, "NaN,");
  refused(not_a_number, "calibration.json");

  write_whole_file(file, text);
  CHECK(Calibration(tiny.config, file, tiny.checkpoint.fingerprint()).checksum() ==
        tiny.calibration.checksum());
  fs::remove(file);
  CHECK_THROWS_WITH_AS(Calibration(tiny.config, file, "f"), doctest::Contains(file.c_str()), Error);
  fs::create_directory(file);
  CHECK_THROWS_WITH_AS(Calibration(tiny.config, file, "f"), doctest::Contains(file.c_str()), Error);
}

TEST_CASE(
    "int8 alone uses a calibration, that beside the weights or the one named, and packs anew for another") {
  Tiny tiny;
  const test::TestFolder folder;
  const fs::path model = folder.path() / "model", named = folder.path() / "named.json";
  fs::copy(kModels / "paligemma1-tiny", model, fs::copy_options::recursive);
  const auto load = [&](Precision precision, const fs::path& calibration) {
    return std::make_unique<PaliGemma>(
        model, SlidingWindow::kTransformers, precision,
        WeightOptions{.packed_cache = folder.path() / "cache", .calibration = calibration});
  };
  const auto same = [](const Matrix& a, const Matrix& b) { return relative_error(a, b) == 0; };
  for (const Precision precision : precisions_here()) {
    CAPTURE(name_of(precision));
    const bool int8 = precision == Precision::kInt8;
    fs::remove(model / kCalibrationFile);
    const auto plain = load(precision, {});
    CHECK(plain->identity().calibration.empty());
    write_whole_file(model / kCalibrationFile, tiny.calibration.text());
    const auto beside = load(precision, {}), again = load(precision, {});
    CHECK(beside->identity().calibration == (int8 ? tiny.calibration.checksum() : ""));
    CHECK(beside->packed_cache_note().starts_with(int8 ? "packed weights written" : "packed weights read"));
    CHECK(again->packed_cache_note().starts_with("packed weights read"));
    for (const char* const layer : {"lm.embeds", "lm.final_norm"}) {
      CHECK(same(hidden_of(*beside, layer), hidden_of(*plain, layer)) == !int8);
      CHECK(same(hidden_of(*beside, layer), hidden_of(*again, layer)));
    }
    tiny.inputs.at(kQkv).largest_inputs[0] *= 4;
    const Calibration other(tiny.config, tiny.inputs, tiny.checkpoint.fingerprint());
    write_whole_file(named, other.text());
    const auto second = load(precision, named);
    CHECK(second->identity().calibration == (int8 ? other.checksum() : ""));
    CHECK(second->packed_cache_note().starts_with(int8 ? "packed weights written" : "packed weights read"));
  }
  if (has_matmul(Precision::kInt8)) {
    CHECK_THROWS_WITH_AS(load(Precision::kInt8, folder.path() / "nowhere.json"),
                         doctest::Contains("nowhere.json"), Error);
  }
}
