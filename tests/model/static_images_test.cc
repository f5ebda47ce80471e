#include "model/paligemma/static_images.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "tests/model/reference_model.h"

using namespace palisade;

namespace {

// Features of two tokens: the first never changes, the second is turned by `angle`.
ImageFeatures turned(double angle) {
  auto features = std::make_shared<Matrix>(2, 2);
  features->row(0)[0] = 3;
  features->row(0)[1] = 1;
  features->row(1)[0] = float(std::cos(angle));
  features->row(1)[1] = float(std::sin(angle));
  return features;
}

std::vector<int> read_of(const std::vector<double>& angles, double threshold) {
  std::vector<ImageFeatures> images;
  for (const double angle : angles) images.push_back(turned(angle));
  return read_images(images, threshold);
}

// Four images, of which the middle two are read as the first.
struct Clip {
  explicit Clip(const std::string& name) : model(kReference / "models" / name) {
    std::vector<Image> images;
    for (const char* const file : {"still0.png", "still1.png", "still2.png", "still3.png"})
      images.push_back(read_picture(kReference / "images" / file));
    features = model.encode(images);
    prompt = model.prompt_ids("caption en");
  }
  std::unique_ptr<Prefill> begin(const Observer& observer = {}) const {
    return model.begin_prefill(features, prompt, 4, observer, {.read_as = read_as});
  }
  // Maps a row of the whole prefix to the row of the pruned prefix that replaces it.
  int leader(int row) const {
    const int tokens = model.config().image_tokens();
    return row < 4 * tokens ? read_as[row / tokens] * tokens + row % tokens : row;
  }
  bool leads(int row) const { return leader(row) == row; }

  PaliGemma model;
  std::vector<ImageFeatures> features;
  std::vector<TokenId> prompt;
  std::vector<int> read_as{0, 0, 0, 3};
};

Sequence run(Prefill& prefill, double operations = kUnboundedOperations) {
  while (prefill.advance(operations)) {
  }
  return prefill.finish();
}

double difference(std::span<const float> a, std::span<const float> b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(double(a[i]) - b[i]));
  return largest;
}

void say(const PaliGemma& model, Sequence& sequence, TokenId token) {
  Sequence* const one = &sequence;
  model.step({&one, 1}, {&token, 1});
}

}  // namespace

TEST_CASE("of images that are all the same the first alone is read") {
  CHECK(read_of(std::vector<double>(16, 0.5), 0.9) == std::vector<int>(16, 0));
  CHECK(read_of({0.3}, 0.9) == std::vector<int>{0});
  CHECK(read_of({}, 0.9).empty());
}

TEST_CASE("of a clip in which every image changes all are read") {
  std::vector<double> angles(16);
  for (std::size_t i = 0; i < angles.size(); ++i) angles[i] = 1.0 * double(i);
  std::vector<int> all(16);
  std::iota(all.begin(), all.end(), 0);
  CHECK(read_of(angles, 0.9) == all);
}

TEST_CASE(
    "what comes after a change is read as the image that changed, and what goes back to the first anew") {
  CHECK(read_of({0, 0, 0, 1, 1, 1, 0, 0}, 0.9) == std::vector<int>{0, 0, 0, 3, 3, 3, 6, 6});
}

TEST_CASE("a drift too slow to be seen from image to image is a change once it has gone far enough") {
  // cos(0.4) = 0.92, cos(0.5) = 0.88
  CHECK(read_of({0, 0.1, 0.2, 0.3, 0.4, 0.5}, 0.9) == std::vector<int>{0, 0, 0, 0, 0, 5});
}

TEST_CASE("an image whose features are no numbers is a change") {
  CHECK(read_of({0, 0, std::numeric_limits<double>::quiet_NaN(), 0, 0, 0, 0, 0}, 0.5) ==
        std::vector<int>{0, 0, 2, 3, 3, 3, 3, 3});
}

// The definition of pruning: all rows go through all layers, and before each layer the rows of an image that
// is read as another are replaced by the other's.
TEST_CASE("a prefill without some images is the whole one with their rows made those they are read as") {
  for (const char* name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    CAPTURE(name);
    const Clip clip(name);
    std::map<std::string, Matrix> whole;
    const Observer replace = [&](std::string_view tensor, ConstMatrixView rows) {
      Matrix& copy = whole.emplace(tensor, Matrix(rows.rows, rows.cols)).first->second;
      for (int row = 0; row < rows.rows; ++row) {
        const auto target = MatrixView(const_cast<float*>(rows.data), rows.rows, rows.cols).row(row);
        std::ranges::copy(rows.row(clip.leader(row)), target.begin());
        std::ranges::copy(target, copy.row(row).begin());
      }
    };
    Sequence expected = clip.model.prefill(clip.features, clip.prompt, 4, replace);
    int compared = 0;
    const auto pruned = clip.begin([&](std::string_view tensor, ConstMatrixView rows) {
      CAPTURE(tensor);
      const Matrix& all = whole.at(std::string(tensor));
      CHECK(rows.rows == 2 * clip.model.config().image_tokens() + int(clip.prompt.size()));
      int row = 0;
      double largest = 0;
      for (int place = 0; place < all.rows(); ++place) {
        if (clip.leads(place)) largest = std::max(largest, difference(rows.row(row++), all.row(place)));
      }
      CHECK(row == rows.rows);
      CHECK(largest < 1e-4);
      ++compared;
    });
    Sequence sequence = run(*pruned);
    CHECK(compared == clip.model.config().text.layers + 2);
    CHECK(sequence.length() == expected.length());
    CHECK(difference(sequence.logits(), expected.logits()) < 1e-3);
    for (const TokenId token : {700, 701, 702}) {
      say(clip.model, sequence, token);
      say(clip.model, expected, token);
      CHECK(difference(sequence.logits(), expected.logits()) < 1e-3);
    }
  }
}

TEST_CASE("a prefill without some images differs from the whole one, and from one that never had them") {
  const Clip clip("paligemma1-tiny");
  const Sequence pruned = run(*clip.begin());
  const Sequence whole = clip.model.prefill(clip.features, clip.prompt, 4);
  const Sequence without =
      clip.model.prefill(std::vector{clip.features[0], clip.features[3]}, clip.prompt, 4);
  CHECK(difference(pruned.logits(), whole.logits()) > 1e-3);
  CHECK(difference(pruned.logits(), without.logits()) > 1e-3);
}

TEST_CASE("a prefill in which every image is read as itself is the whole one") {
  Clip clip("paligemma2-tiny");
  clip.read_as = {0, 1, 2, 3};
  const Sequence whole = clip.model.prefill(clip.features, clip.prompt, 4);
  CHECK(difference(run(*clip.begin()).logits(), whole.logits()) == 0);
}

TEST_CASE("a prefill without some images ends in slices as in one go, and its forks go on from it") {
  for (const char* name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    CAPTURE(name);
    const Clip clip(name);
    Sequence whole = run(*clip.begin());
    Sequence sliced = run(*clip.begin(), 1);
    CHECK(difference(sliced.logits(), whole.logits()) < 1e-3);
    Sequence fork = sliced.fork();
    say(clip.model, whole, 700);
    say(clip.model, fork, 700);
    CHECK(difference(fork.logits(), whole.logits()) < 1e-3);
  }
}
