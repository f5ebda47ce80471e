#include "model/paligemma/paligemma.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/format.h"
#include "base/json.h"
#include "ingest/pictures/picture.h"
#include "model/decoding/generation.h"
#include "model/error.h"
#include "model/kernels/integer_tiles.h"
#include "model/matmul/attention.h"
#include "model/matmul/bare_matmul.h"
#include "tests/model/golden.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;
const fs::path kSource = PALISADE_SOURCE_DIR;
const fs::path kWorld = kSource / "tests/golden/world";

using Rows = std::map<std::string, std::vector<std::vector<float>>>;

Observer record(Rows& rows) {
  return [&rows](std::string_view name, ConstMatrixView view) {
    auto& all = rows[std::string(name)];
    all.clear();
    for (int row = 0; row < view.rows; ++row) all.emplace_back(view.row(row).begin(), view.row(row).end());
  };
}

double difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(double(a[i]) - b[i]));
  return largest;
}

// Enough for several threads to get a share.
std::vector<Image> eight_pictures() {
  std::vector<Image> pictures;
  for (int i = 0; i < 8; ++i) pictures.push_back(read_picture(kReference / format("images/frame0{}.png", i)));
  return pictures;
}

std::string ask(const PaliGemma& model, const std::vector<fs::path>& pictures, const std::string& prompt) {
  std::vector<Image> images;
  for (const fs::path& picture : pictures) images.push_back(read_picture(picture));
  Sequence sequence = model.prefill(model.encode(images), model.prompt_ids(prompt), 64);
  return decode(model, std::move(sequence), {.max_new_tokens = 64}).text;
}

}  // namespace

TEST_CASE("one prefix token changes the hidden state of image positions") {
  for (const char* name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    const PaliGemma model(kReference / "models" / name);
    const Image image = read_picture(kReference / "images/still0.png");
    const auto features = model.encode({&image, 1});
    auto prompt = model.prompt_ids("caption en");
    Rows before, after;
    model.prefill(features, prompt, 1, record(before));
    prompt[1] += 1;
    model.prefill(features, prompt, 1, record(after));
    for (int position = 0; position < model.config().image_tokens(); ++position) {
      CHECK(before["lm.embeds"][position] == after["lm.embeds"][position]);
      CHECK(difference(before["lm.layer.0"][position], after["lm.layer.0"][position]) > 1e-4);
    }
  }
}

TEST_CASE("one suffix token changes nothing before it") {
  for (const char* name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    const PaliGemma model(kReference / "models" / name);
    const Image image = read_picture(kReference / "images/still0.png");
    const auto features = model.encode({&image, 1});
    const auto prompt = model.prompt_ids("caption en");
    std::vector<TokenId> suffix = {600, 601, 602, 603};
    Rows before, after;
    model.score(features, prompt, suffix, record(before));
    suffix[2] = 777;
    model.score(features, prompt, suffix, record(after));
    const std::size_t changed = before["lm.final_norm"].size() - 2;
    for (std::size_t position = 0; position < before["lm.final_norm"].size(); ++position) {
      const double largest = difference(before["lm.final_norm"][position], after["lm.final_norm"][position]);
      CAPTURE(position);
      if (position < changed) {
        CHECK(largest == 0.0);
      } else {
        CHECK(largest > 1e-4);
      }
    }
  }
}

TEST_CASE("scoring a suffix at once gives the logits of decoding it token by token") {
  const PaliGemma model(kReference / "models/paligemma1-tiny");
  const Image image = read_picture(kReference / "images/still0.png");
  const auto features = model.encode({&image, 1});
  const auto prompt = model.prompt_ids("caption en");
  const std::vector<TokenId> suffix = {814, 900, 35};
  const Matrix at_once = model.score(features, prompt, suffix);
  Sequence sequence = model.prefill(features, prompt, 3);
  for (int i = 0; i < 3; ++i) {
    Sequence* const one = &sequence;
    model.step({&one, 1}, {&suffix[i], 1});
    const std::vector<float> stepped(sequence.logits().begin(), sequence.logits().end());
    CHECK(difference(stepped, {at_once.row(i).begin(), at_once.row(i).end()}) < 1e-3);
  }
}

TEST_CASE("an observer, for whom all rows go through the last layer, changes no logits") {
  for (const char* const name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    const PaliGemma model(kReference / "models" / name);
    const Image image = read_picture(kReference / "images/still0.png");
    const auto features = model.encode({&image, 1});
    const auto prompt = model.prompt_ids("caption en");
    Rows rows;
    const Sequence plain = model.prefill(features, prompt, 1),
                   observed = model.prefill(features, prompt, 1, record(rows));
    CHECK(difference({plain.logits().begin(), plain.logits().end()},
                     {observed.logits().begin(), observed.logits().end()}) < 1e-4);
    CHECK(model.score(features, prompt, {}).rows() == 0);
  }
}

TEST_CASE("sequences stepped together get the logits they get alone") {
  const PaliGemma model(kReference / "models/paligemma1-tiny");
  const Image image = read_picture(kReference / "images/still0.png");
  const auto features = model.encode({&image, 1});
  Sequence first = model.prefill(features, model.prompt_ids("caption en"), 2);
  Sequence second = model.prefill({}, model.prompt_ids("answer en how many?"), 2);
  Sequence alone = model.prefill(features, model.prompt_ids("caption en"), 2);
  const TokenId tokens[] = {700, 800};
  Sequence* const both[] = {&first, &second};
  Sequence* const one[] = {&alone};
  model.step(both, tokens);
  model.step(one, {tokens, 1});
  CHECK(difference({first.logits().begin(), first.logits().end()},
                   {alone.logits().begin(), alone.logits().end()}) < 1e-4);
}

TEST_CASE("encoding and prefill in the smallest slices end as they do in one go") {
  for (const char* name : {"paligemma1-tiny", "paligemma1-tiny-112", "paligemma2-tiny"}) {
    CAPTURE(name);
    const PaliGemma model(kReference / "models" / name);
    const std::vector<Image> images = eight_pictures();
    const auto whole = model.encode(images);
    const auto encoding = model.begin_encode(images);
    int slices = 1;
    while (encoding->advance(1)) ++slices;
    const auto features = encoding->finish();
    REQUIRE(features.size() == whole.size());
    CHECK(slices > 2 * model.config().vision.layers);
    for (std::size_t image = 0; image < features.size(); ++image) {
      for (int row = 0; row < features[image]->rows(); ++row) {
        const auto a = features[image]->row(row), b = whole[image]->row(row);
        CHECK(difference({a.begin(), a.end()}, {b.begin(), b.end()}) < 1e-4);
      }
    }
    const auto prompt = model.prompt_ids("caption en");
    const Sequence at_once = model.prefill(whole, prompt, 1);
    const auto prefill = model.begin_prefill(whole, prompt, 1);
    while (prefill->advance(1)) {
    }
    const Sequence sliced = prefill->finish();
    CHECK(difference({sliced.logits().begin(), sliced.logits().end()},
                     {at_once.logits().begin(), at_once.logits().end()}) < 1e-3);
  }
}

TEST_CASE("in int8 what an image becomes depends neither on slices nor on pictures beside it") {
  if (!has_integer_tiles()) return;
  const PaliGemma model(kModels / "paligemma1-tiny-112", SlidingWindow::kTransformers, Precision::kInt8);
  REQUIRE(model.config().image_tokens() >= kMinRoundedRows);
  const std::vector<Image> images = eight_pictures();
  const auto together = model.encode(images);
  for (std::size_t image = 0; image < images.size(); ++image) {
    const std::span one(&images[image], 1);
    const auto whole = model.encode(one);
    const auto encoding = model.begin_encode(one);
    while (encoding->advance(1)) {
    }
    const auto sliced = encoding->finish();
    for (int row = 0; row < whole[0]->rows(); ++row) {
      const auto a = sliced[0]->row(row), b = whole[0]->row(row), c = together[image]->row(row);
      CHECK(std::ranges::equal(a, b));
      CHECK(std::ranges::equal(c, b));
    }
  }
}

TEST_CASE("the street model gives the reference implementation's answers on every still and pair") {
  const PaliGemma model(kWorld / "model");
  CHECK(model.identity().id == "palisade-street");
  CHECK_FALSE(model.identity().notice.empty());
  int questions = 0;
  for (const Json& still : read_json(kWorld / "stills.json")) {
    for (const Json& question : still["questions"]) {
      const auto prompt = question["prompt"].get<std::string>();
      CHECK_MESSAGE(ask(model, {kWorld / still["file"].get<std::string>()}, prompt) ==
                        question["answer"].get<std::string>(),
                    still["file"].get<std::string>() << ": " << prompt);
      ++questions;
    }
  }
  for (const Json& pair : read_json(kWorld / "pairs.json")) {
    for (const Json& question : pair["questions"]) {
      const auto prompt = question["prompt"].get<std::string>();
      const std::string left = pair["files"][0], right = pair["files"][1];
      CHECK_MESSAGE(
          ask(model, {kWorld / left, kWorld / right}, prompt) == question["answer"].get<std::string>(),
          left << ": " << prompt);
      ++questions;
    }
  }
  CHECK(questions == 90 + 56);
}

TEST_CASE("of the stills and pairs the street model answers at least 99 % alike in bf16 and 95 % in int8") {
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    if (!has_matmul(precision)) continue;
    const PaliGemma model(kWorld / "model", SlidingWindow::kTransformers, precision);
    CHECK(model.identity().precision == name_of(precision));
    int questions = 0, same = 0;
    const auto count = [&](const Json& asked, const std::vector<fs::path>& pictures) {
      for (const Json& question : asked) {
        ++questions;
        same += ask(model, pictures, question["prompt"].get<std::string>()) ==
                question["answer"].get<std::string>();
      }
    };
    for (const Json& still : read_json(kWorld / "stills.json"))
      count(still["questions"], {kWorld / still["file"].get<std::string>()});
    for (const Json& pair : read_json(kWorld / "pairs.json")) {
      const std::string left = pair["files"][0], right = pair["files"][1];
      count(pair["questions"], {kWorld / left, kWorld / right});
    }
    MESSAGE(name_of(precision), ": ", same, " of ", questions);
    CHECK(same >= (precision == Precision::kBf16 ? 0.99 : 0.95) * questions);
  }
}

TEST_CASE("a request that needs more positions than the model has is refused with the number") {
  const PaliGemma model(kReference / "models/paligemma1-tiny");
  CHECK_THROWS_WITH_AS(model.prefill({}, model.prompt_ids("caption en"), 10'000),
                       doctest::Contains("need 10004 positions, the model has 8192"), ModelError);
}

TEST_CASE("a folder that is no model is named with the remedy") {
  CHECK_THROWS_WITH_AS(PaliGemma("/nowhere"), doctest::Contains("/nowhere: no such folder"), ModelError);
  CHECK_THROWS_WITH_AS(PaliGemma{kSource / "tests"}, doctest::Contains("config.json: no such file"),
                       ModelError);
}
