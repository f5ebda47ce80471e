#include "tasks/certainty/certainty_curve.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "base/error.h"
#include "tasks/certainty/calibrated_answer.h"
#include "tasks/certainty/curve_fit.h"

using namespace palisade;

namespace {

// Answers whose stated log-odds are `factor` times the true ones.
std::vector<JudgedAnswer> answers_with(double factor, int count, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> log_odds(0, 2);
  std::uniform_real_distribution<double> chance(0, 1);
  std::vector<JudgedAnswer> answers;
  for (int i = 0; i < count; ++i) {
    const double true_odds = log_odds(random);
    const double stated = 1 / (1 + std::exp(-factor * true_odds));
    const bool first = chance(random) < 1 / (1 + std::exp(-true_odds));
    answers.push_back({.choices = {stated, 1 - stated}, .right = first ? 0u : 1u});
  }
  return answers;
}

}  // namespace

TEST_CASE("a calibration error is the mean distance of probability and share, each bin by its count") {
  // Two bins: 0.2 and 0.3 with one right of two, 0.9 with one right of one.
  const std::vector<JudgedChoice> choices{{0.2, false}, {0.3, true}, {0.9, true}};
  CHECK(calibration_error(choices, 2) == doctest::Approx((2 * std::abs(0.25 - 0.5) + 1 * 0.1) / 3));
  CHECK(calibration_error({}) == 0);
  CHECK(calibration_error(std::vector<JudgedChoice>{{1.0, true}, {0.0, false}}) == 0);
  const ErrorInterval interval = calibration_error_interval(choices, 200);
  CHECK(interval.low <= interval.high);
  CHECK(log_loss(std::vector<JudgedChoice>{{0.25, true}, {0.25, false}}) ==
        doctest::Approx(-(std::log(0.25) + std::log(0.75)) / 2));
}

TEST_CASE("the temperature of overconfident answers is found again") {
  for (const double factor : {0.5, 2.0, 4.0}) {
    CAPTURE(factor);
    const CertaintyCurve curve = fitted_curve(answers_with(factor, 20'000), CurveShape::kTemperature);
    CHECK(curve.temperature == doctest::Approx(factor).epsilon(0.05));
    CHECK(curve.calibrated(0.5) == doctest::Approx(0.5));
  }
}

TEST_CASE("a fit is chosen by answers that it was not made of, and is worth it on others still") {
  const FitTrial trial = try_fits(answers_with(3, 2000));
  CHECK(trial.shape != CurveShape::kIdentity);
  CHECK(calibration_error(trial.after) < calibration_error(trial.before));
  const CertaintyCurve curve = fitted_curve(answers_with(3, 2000), trial.shape);
  const auto others = answers_with(3, 4000, 2);
  CHECK(calibration_error(judged_choices(others, curve)) < 0.05);
  CHECK(calibration_error(judged_choices(others)) > 0.05);
  // What is right already stays as it is.
  CHECK(try_fits(answers_with(1, 2000)).shape == CurveShape::kIdentity);
}

TEST_CASE("a curve of what a temperature cannot mend never falls, and mends it") {
  // Whatever is said above one half is right three times of four.
  std::mt19937_64 random(3);
  std::vector<JudgedAnswer> answers;
  for (int i = 0; i < 4000; ++i) {
    const double p = 0.5 + 0.5 * double(random() % 1000) / 1000;
    answers.push_back({.choices = {p, 1 - p}, .right = random() % 4 == 0 ? 1u : 0u});
  }
  const FitTrial trial = try_fits(answers);
  CHECK(trial.shape == CurveShape::kIsotonic);
  const CertaintyCurve curve = fitted_curve(answers, CurveShape::kIsotonic);
  double last = 0;
  for (double p = 0.5; p <= 1; p += 0.01) {
    CHECK(curve.calibrated(p) >= last);
    last = curve.calibrated(p);
  }
  CHECK(curve.calibrated(0.75) == doctest::Approx(0.75).epsilon(0.05));
  CHECK(curve.calibrated(0.99) == doctest::Approx(0.75).epsilon(0.1));
  CHECK(calibration_error(trial.after) < 0.03);
}

TEST_CASE("several choices stay a distribution") {
  const CertaintyCurve curve{.temperature = 2, .points = {}};
  const auto values = calibrated(curve, std::vector<double>{0.7, 0.2, 0.1});
  CHECK(values[0] + values[1] + values[2] == doctest::Approx(1));
  CHECK(values[0] < 0.7);
  CHECK(values[0] > values[1]);
  for (const double value : calibrated(curve, std::vector<double>{1, 0})) CHECK(std::isfinite(value));
  for (const double value : calibrated(curve, std::vector<double>{0, 0, 0})) CHECK(std::isfinite(value));
}

TEST_CASE("curves come back from their file, and are found by prompt, then by task") {
  const CertaintyCurves curves{
      .model = "m",
      .model_sha256 = std::string(64, 'a'),
      .precision = "f32",
      .curves = {
          {.task = "pair", .temperature = 2, .points = {}, .examples = 70},
          {.prompt = "answer en x", .task = "pair", .points = {{0.1, 0.2}, {0.9, 0.7}}, .examples = 900}}};
  const CertaintyCurves back = certainty_curves_of(to_json(curves), "f.json");
  CHECK(back.curves == curves.curves);
  CHECK(back.id.size() == 16);
  CHECK(back.find("answer en x", "pair")->examples == 900);
  CHECK(back.find("answer en y", "pair")->examples == 70);
  CHECK(back.find("answer en y", "question") == nullptr);
  AnswerEvent answer{.task = "pair",
                     .prompt = "answer en x",
                     .choices = {{.text = "true", .p = 0.9}, {.text = "false", .p = 0.1}}};
  calibrate(answer, back);
  CHECK(answer.choices[0].calibrated == doctest::Approx(0.7));
  CHECK(answer.choices[1].calibrated == doctest::Approx(0.3));
  REQUIRE(answer.curve);
  CHECK(answer.curve->id == back.id);
  CHECK(answer.curve->prompt == "answer en x");
}

TEST_CASE("a file of curves that is none is refused by name") {
  const std::string good = to_json(CertaintyCurves{.model = "m", .curves = {{.task = "pair"}}}).dump();
  CHECK_NOTHROW(certainty_curves_of(Json::parse(good), "f.json"));
  for (
      const char* const text :
      {"7", "{}", R"({"format": 2, "model": {"id": "m"}, "curves": []})",
       R"({"format": 1, "model": {"id": "m"}, "curves": [{"task": "x", "temperature": 0}]})",
       R"({"format": 1, "model": {"id": "m"}, "curves": [{"task": "x", "temperature": 1, "points": [[0.5, 0.7], [0.4, 0.8]]}]})",
       R"({"format": 1, "model": {"id": "m"}, "curves": [{"task": "x", "temperature": 1, "points": [[0.5, 0.7], [0.6, 0.5]]}]})",
       R"({"format": 1, "model": {"id": "m"}, "curves": [{"task": "x", "temperature": 1, "points": [[0.5, 1.7]]}]})",
       R"({"format": 1, "model": {"id": "m"}, "curves": [{"task": "x", "temperature": 1, "points": [7]}]})"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(certainty_curves_of(Json::parse(text), "f.json"), doctest::Contains("f.json: "),
                         Error);
  }
}
