#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <utility>

#include "model/matmul/precision.h"
#include "model/siglip/encoder_layers.h"
#include "model/weights/calibration.h"
#include "model/weights/packed_cache.h"
#include "model/weights/random_checkpoint.h"
#include "tests/ingest/test_files.h"
#include "tests/model/reference.h"

using namespace palisade;
using reference::rows_of;

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

// x + fc2(gelu(fc1(x))) in f64.
reference::Rows plain(const Checkpoint& checkpoint, ConstMatrixView x, int mlp_width) {
  const std::string name = kName;
  const auto through = [&](const std::string& layer, const reference::Rows& in, int outputs) {
    return reference::affine(in,
                             rows_of(checkpoint.read(name + layer + ".weight", {outputs, int(in.cols())})),
                             rows_of(checkpoint.read(name + layer + ".bias", {outputs})));
  };
  const reference::Rows hidden = reference::gelu(through(".fc1", rows_of(x), mlp_width));
  return rows_of(x) + through(".fc2", hidden, x.cols);
}

// x after an MLP of that checkpoint has added its result.
Matrix after(const Checkpoint& checkpoint, ConstMatrixView x, int mlp_width, Precision precision) {
  const EncoderMlp mlp(checkpoint, kName, kWidth, mlp_width, precision);
  MatmulRows rows = mlp.rows(x.rows);
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
    const reference::Rows expected = plain(checkpoint, x, mlp_width);
    for (const Precision precision : precisions_here()) {
      CAPTURE(mlp_width);
      CAPTURE(name_of(precision));
      const Matrix out = after(checkpoint, x, mlp_width, precision);
      const double tolerance = precision == Precision::kF32 ? 5e-6 : 0.03;
      CHECK((rows_of(out) - expected).norm() / (expected - rows_of(x)).norm() < tolerance);
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
