// Measures how often the demo model's answers in bf16 and int8 are the same as in f32, on new scenes: still
// pictures with four questions each, pairs with two, and clips of a street with two. int8 is measured without
// a calibration and with one from 16 other questions.
//   precision_agreement              600 questions (minutes)
//   precision_agreement 60           about 60, as the test suite does
//   precision_agreement 600 7        with another seed
// Measured on 640 questions: bf16 99.8 %, int8 and calibrated int8 99.5 %. The differences are in captions
// and boxes of which f32 itself is unsure. The exit code is 1 below 99 %, with fewer than 500 questions below
// 95 %.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/whole_file.h"
#include "examples/world/draw.h"
#include "examples/world/still.h"
#include "examples/world/street.h"
#include "model/decoding/generation.h"
#include "model/matmul/bare_matmul.h"
#include "model/paligemma/paligemma.h"
#include "model/weights/calibration.h"
#include "model/weights/checkpoint.h"

using namespace palisade;
using namespace palisade::world;

namespace {

constexpr std::uint64_t kSeed = 20261124;

struct Question {
  std::vector<Image> images;
  std::string prompt;
};

// Draws the pictures of objects for every question.
class Camera {
 public:
  explicit Camera(Random& random)
      : sprites_(assets_folder()), painter_(sprites_, assets_folder(), random_look(random), random.bits()) {}

  Image at(std::span<const Object> objects, double t) {
    drawn_.resize(kFrameBytes);
    painter_.paint(objects, t, drawn_);
    std::vector<std::uint8_t> rgb(std::size_t(kWidth) * kHeight * 3);
    for (std::size_t pixel = 0; pixel < rgb.size() / 3; ++pixel) {
      for (std::size_t c = 0; c < 3; ++c) rgb[pixel * 3 + c] = drawn_[pixel * 4 + 2 - c];
    }
    return Image(world::kWidth, world::kHeight, std::move(rgb));
  }

 private:
  Sprites sprites_;
  Painter painter_;
  std::vector<std::uint8_t> drawn_;
};

std::string kind(Random& random) {
  return std::string(facts(random_thing(random).kind).name);
}
std::string kinds(Random& random) {
  return std::string(facts(random_thing(random).kind).plural);
}
std::string colour(Random& random) {
  return std::string(name(Colour(random.below(kColours))));
}

Image still(Random& random) {
  const auto objects = random_still(random);
  return Camera(random).at(objects, 0);
}

std::vector<Image> clip(Random& random) {
  constexpr double kStep = 4.0 / 15;
  Camera camera(random);
  Street street(random.bits(), 100);
  street.advance(110);
  std::vector<Image> images;
  for (int i = 0; i < 16; ++i) images.push_back(camera.at(street.objects(), 102 + i * kStep));
  return images;
}

std::vector<Question> questions(int count, std::uint64_t seed) {
  Random random(seed);
  std::vector<Question> all;
  while (int(all.size()) < count) {
    const std::vector<Image> one{still(random)}, two{still(random), still(random)}, many = clip(random);
    all.push_back({one, "caption en"});
    all.push_back({one, "answer en how many " + kinds(random) + " are there?"});
    all.push_back({one, "answer en is there a " + colour(random) + " " + kind(random) + "?"});
    all.push_back({one, "detect " + kind(random)});
    all.push_back({two, "answer en the left image has more " + kinds(random) + " than the right image"});
    all.push_back({two, "answer en both images contain a " + kind(random)});
    all.push_back({many, "caption en"});
    all.push_back({many, "answer en did anything enter?"});
  }
  return all;
}

std::string answer(const PaliGemma& model, const Question& question) {
  Sequence sequence = model.prefill(model.encode(question.images), model.prompt_ids(question.prompt), 64);
  return decode(model, std::move(sequence), {.max_new_tokens = 64}).text;
}

// Writes a calibration below `folder`, made from questions of another seed.
std::filesystem::path calibrated(const std::filesystem::path& model_folder,
                                 const std::filesystem::path& folder, std::uint64_t seed) {
  RecordedInputs inputs;
  const PaliGemma model(model_folder, SlidingWindow::kTransformers, Precision::kF32, {.record = &inputs});
  for (const Question& question : questions(16, seed ^ 0xca1b)) answer(model, question);
  const auto file = folder / "calibration.json";
  write_whole_file(file, Calibration(model.config(), inputs, Checkpoint(model_folder).fingerprint()).text());
  return file;
}

struct Trial {
  const char* name;
  Precision precision;
  std::filesystem::path calibration;
  double least;  // share of answers, of 500 questions and more
};

bool run(const Trial& trial, const std::filesystem::path& folder, const std::vector<Question>& asked,
         const std::vector<std::string>& expected) {
  const PaliGemma model(folder, SlidingWindow::kTransformers, trial.precision,
                        {.calibration = trial.calibration});
  int same = 0;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const std::string text = answer(model, asked[i]);
    same += text == expected[i];
    if (text != expected[i])
      std::printf("%s: %s\n  f32:  %s\n  this: %s\n", trial.name, asked[i].prompt.c_str(),
                  expected[i].c_str(), text.c_str());
  }
  const double share = double(same) / double(asked.size());
  std::printf("%s: %d of %zu the same, %.1f %%\n", trial.name, same, asked.size(), 100 * share);
  std::fflush(stdout);
  return share >= (asked.size() < 500 ? 0.95 : trial.least);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : kSeed;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  const auto asked = questions(argc > 1 ? std::atoi(argv[1]) : 600, seed);
  // A copy of the model, beside which there is no calibration.
  std::string name = std::filesystem::temp_directory_path() / "palisade-agreement-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) return 1;
  const std::filesystem::path temporary = name, folder = temporary / "demo";
  std::filesystem::copy(PALISADE_SOURCE_DIR "/configs/models/demo", folder);
  std::filesystem::remove(folder / kCalibrationFile);
  std::vector<std::string> expected;
  {
    const PaliGemma reference(folder);
    for (const Question& question : asked) expected.push_back(answer(reference, question));
  }
  const Trial trials[] = {{"bf16", Precision::kBf16, {}, 0.99},
                          {"int8", Precision::kInt8, {}, 0.99},
                          {"int8, calibrated", Precision::kInt8, calibrated(folder, temporary, seed), 0.99}};
  bool good = true;
  for (const Trial& trial : trials) {
    if (has_matmul(trial.precision)) {
      good = run(trial, folder, asked, expected) && good;
    } else {
      std::printf("%s: this CPU has no such matmul\n", trial.name);
    }
  }
  std::filesystem::remove_all(temporary);
  return good ? 0 : 1;
}
