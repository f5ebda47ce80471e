#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <utility>

#include "model/kernels/kernels.h"
#include "model/matmul/matmul.h"
#include "model/matmul/precision.h"
#include "model/siglip/encoder_layers.h"
#include "model/weights/calibration.h"
#include "model/weights/packed_cache.h"
#include "model/weights/random_checkpoint.h"
#include "tests/ingest/test_files.h"

using namespace palisade;

namespace {

constexpr int kRows = 9, kWidth = 144;
constexpr const char kName[] = "mlp";

Matrix random_rows(int rows, int cols) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  Matrix all(rows, cols);
  std::generate_n(all.data(), all.size(), [&] { return normal(random); });
  return all;
}

// x + fc2(gelu(fc1(x))), the whole of each product at once.
Matrix plain(const Checkpoint& checkpoint, ConstMatrixView x, int mlp_width) {
  const std::string name = kName;
  Matrix hidden(x.rows, mlp_width), out(x.rows, x.cols);
  const auto through = [&](const std::string& layer, ConstMatrixView in, MatrixView product) {
    const Matrix weight = checkpoint.read(name + layer + ".weight", {product.cols, in.cols});
    const Matrix bias = checkpoint.read(name + layer + ".bias", {product.cols});
    multiply(in, weight, true, 1, 0, product);
    for (int row = 0; row < product.rows; ++row) add(product.row(row), bias.row(0));
  };
  through(".fc1", x, hidden);
  gelu_tanh({hidden.data(), hidden.size()});
  through(".fc2", hidden, out);
  for (int row = 0; row < x.rows; ++row) add(out.row(row), x.row(row));
  return out;
}

// x once an MLP of that checkpoint has added to it.
Matrix after(const Checkpoint& checkpoint, ConstMatrixView x, int mlp_width, Precision precision) {
  const EncoderMlp mlp(checkpoint, kName, kWidth, mlp_width, precision);
  ProductRows rows = mlp.rows(x.rows);
  for (int row = 0; row < x.rows; ++row) rows.set(row, x.row(row));
  Matrix out(x.rows, x.cols);
  copy(x, out);
  mlp.add_to(rows, out);
  return out;
}

}  // namespace

TEST_CASE("an MLP whose hidden values are made in parts gives what it gives whole") {
  const RandomCheckpoint checkpoint;
  const Matrix x = random_rows(kRows, kWidth);
  for (const int mlp_width : {512, 4304, 7700}) {  // one, two and four parts
    const Matrix expected = plain(checkpoint, x, mlp_width);
    for (const Precision precision : precisions_here()) {
      CAPTURE(mlp_width);
      CAPTURE(name_of(precision));
      const Matrix out = after(checkpoint, x, mlp_width, precision);
      double squares = 0, wrong = 0;
      for (std::size_t i = 0; i < out.size(); ++i) {
        const double change = expected.data()[i] - x.data()[i];
        squares += change * change;
        wrong += std::pow(out.data()[i] - expected.data()[i], 2);
      }
      const double tolerance = precision == Precision::kF32 ? 5e-6 : 0.03;
      CHECK(std::sqrt(wrong / squares) < tolerance);
    }
  }
}

TEST_CASE("the parts of an MLP are kept packed, and calibration sees what goes into the first") {
  constexpr int kMlpWidth = 4304;
  const test::TestFolder folder;
  const Matrix x = random_rows(kRows, kWidth);
  Matrix made;
  for (const bool again : {false, true}) {
    RandomCheckpoint checkpoint;
    RecordedInputs seen;
    checkpoint.record_inputs(seen);
    PackedCache cache(folder.path() / "packed.safetensors", "mine");
    REQUIRE(cache.serves() == again);
    checkpoint.pack_with(cache);
    Matrix out = after(checkpoint, x, kMlpWidth, Precision::kF32);
    cache.finish();
    if (again) CHECK(std::equal(out.data(), out.data() + out.size(), made.data()));
    made = std::move(out);
    float largest = 0;
    for (std::size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(x.data()[i]));
    CHECK(std::ranges::max(seen.at("mlp.fc1.weight").largest_inputs) == largest);
  }
}
