#include "examples/dataset/data_set.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/random.h"
#include "examples/dataset/clip_file.h"
#include "examples/world/caption.h"
#include "examples/world/draw.h"
#include "examples/world/street.h"
#include "examples/world/truth.h"
#include "examples/world/truth_file.h"

namespace palisade::world {

namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

constexpr int kFrames = 16;     // frames of a window
constexpr double kStillAt = 0;  // time of still pictures

// Chooses a scene's split so that each split has its share of any hundred consecutive scenes.
std::size_t split_of(int number, const std::array<int, 3>& shares) {
  const double place = 100 * std::fmod(number * 0.6180339887498949, 1.0);
  return place < shares[0] ? 0 : place < shares[0] + shares[1] ? 1 : 2;
}

Json json_of(const std::vector<Object>& objects) {
  Json list = Json::array();
  for (const Object& object : objects) list.push_back(to_json(object, 0));
  return list;
}

// For each picture: object id, the clipped box y0, x0, y1, x1 in camera pixels, and the visible fraction.
Json boxes_of(const std::vector<Object>& objects, const std::vector<double>& times) {
  Json pictures = Json::array();
  for (const double t : times) {
    Json boxes = Json::array();
    for (const Object& object : objects) {
      if (visible_fraction(object, t) <= 0) continue;
      const Box box = box_at(object, t);
      boxes.push_back({object.id, box.y0, box.x0, box.y1, box.x1, visible_fraction(object, t)});
    }
    pictures.push_back(std::move(boxes));
  }
  return pictures;
}

}  // namespace

struct DataSet::Scene {
  std::string name;
  Split& split;
  Random random;
  Json truth;
};

DataSet::Split::Split(const fs::path& folder, const std::string& split_name, Kinds kinds)
    : name(split_name), questions(kinds), lines(folder / (split_name + ".jsonl")) {}

DataSet::DataSet(DataSetSettings settings, const Sprites& sprites)
    : settings_(std::move(settings)), sprites_(sprites), partial_(settings_.folder.string() + ".partial") {
  for (const fs::path& folder : {settings_.folder, partial_}) {
    if (fs::exists(folder))
      throw std::runtime_error(folder.string() + " is there already; name another folder or remove it");
  }
  fs::create_directories(partial_ / "pictures");
  fs::create_directories(partial_ / "clips");
  for (const char* const name : {"train", "validation", "test"})
    splits_.emplace_back(partial_, name, settings_.kinds);
  scenes_.open(partial_ / "scenes.jsonl");
}

DataSet::Scene DataSet::begin(const std::string& form, int number) {
  const std::uint64_t seed =
      split_mix(split_mix(split_mix(settings_.seed) ^ hash_of(form)) + static_cast<std::uint64_t>(number));
  const std::string digits = std::to_string(number);
  const std::string name = form + std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits;
  Split& split = splits_[split_of(number, settings_.shares)];
  return {name, split, Random(seed), {{"name", name}, {"form", form}, {"split", split.name}, {"seed", seed}}};
}

// Whether a scene is used: with `about`, scenes of even number show that kind, and those of odd number do
// not.
bool DataSet::wanted(const std::vector<Object>& objects, const std::vector<double>& times, int number) const {
  if (!settings_.about) return true;
  if (number % 2 == 0) {
    const std::vector<Clause> clauses = window_truth(objects, times);
    return std::ranges::any_of(clauses,
                               [&](const Clause& clause) { return clause.thing.kind == *settings_.about; });
  }
  return std::ranges::none_of(objects, [&](const Object& object) {
    return object.kind == *settings_.about &&
           std::ranges::any_of(times, [&](double t) { return visible_fraction(object, t) > 0; });
  });
}

Question DataSet::whether(bool there) const {
  return {"answer en is there a " + std::string(facts(*settings_.about).name) + "?", there ? "yes" : "no"};
}

void DataSet::draw_picture(const std::string& file, const Look& look, const std::vector<Object>& objects,
                           Random& random) const {
  std::vector<std::uint8_t> frame(kFrameBytes);
  Painter(sprites_, assets_folder(), look, random.bits()).paint(objects, kStillAt, frame);
  Pixels pixels{kWidth, kHeight, 3, {}};
  for (std::size_t i = 0; i < frame.size(); i += 4)
    pixels.samples.insert(pixels.samples.end(), {frame[i + 2], frame[i + 1], frame[i]});
  write_png(partial_ / file, pixels);
}

// `pictures`: the JSON that names the pictures in a line for `palisade transfer`.
void DataSet::write(Scene& scene, const Json& pictures, const std::vector<Question>& questions) {
  for (const Question& question : questions) {
    Json line = pictures;
    line.update({{"prefix", question.prefix}, {"suffix", question.suffix}});
    scene.split.lines << line.dump() << '\n';
  }
  scene.truth.update(pictures);
  scenes_ << scene.truth.dump() << '\n';
  if (!scene.split.lines || !scenes_) throw std::runtime_error("cannot write to " + partial_.string());
}

void DataSet::add_still(int number) {
  Scene scene = begin("still", number);
  const Look look = random_look(scene.random);
  std::vector<Object> objects;
  do {
    objects = training_still(scene.random, settings_.kinds);
  } while (!wanted(objects, {kStillAt}, number));
  const std::string file = "pictures/" + scene.name + ".png";
  draw_picture(file, look, objects, scene.random);
  scene.truth.update(to_json(look));
  scene.truth.update({{"objects", json_of(objects)},
                      {"boxes", boxes_of(objects, {kStillAt})},
                      {"caption", still_caption(still_truth(objects, kStillAt))}});
  write(scene, {{"image", file}},
        settings_.about ? std::vector{whether(number % 2 == 0)}
                        : scene.split.questions.of_still(objects, settings_.questions, scene.random));
}

void DataSet::add_pair(int number) {
  Scene scene = begin("pair", number);
  const StillPair pair = training_pair(scene.random, settings_.kinds);
  const std::string left = "pictures/" + scene.name + "_left.png";
  const std::string right = "pictures/" + scene.name + "_right.png";
  draw_picture(left, pair.look, pair.left, scene.random);
  draw_picture(right, pair.look, pair.right, scene.random);
  scene.truth.update(to_json(pair.look));
  scene.truth.update({{"left", json_of(pair.left)},
                      {"right", json_of(pair.right)},
                      {"boxes", {boxes_of(pair.left, {kStillAt})[0], boxes_of(pair.right, {kStillAt})[0]}}});
  write(scene, {{"images", {left, right}}},
        scene.split.questions.of_pair(pair.left, pair.right, settings_.questions, scene.random));
}

void DataSet::add_window(int number) {
  Scene scene = begin("window", number);
  StreetWindow window;
  do {
    window = training_window(scene.random, kFrames, settings_.kinds);
  } while (!wanted(window.objects, window.times, number));
  const std::string file = "clips/" + scene.name + ".mp4";
  Painter painter(sprites_, assets_folder(), window.look, scene.random.bits());
  write_clip(partial_ / file, window.times, settings_.kbit_per_second,
             [&](std::size_t i, std::span<std::uint8_t> frame) {
               painter.paint(window.objects, window.times[i], frame);
             });
  scene.truth.update(to_json(window.look));
  scene.truth.update({{"times", window.times},
                      {"objects", json_of(window.objects)},
                      {"boxes", boxes_of(window.objects, window.times)},
                      {"caption", window_caption(window_truth(window.objects, window.times))}});
  write(scene, {{"video", file}},
        settings_.about ? std::vector{whether(number % 2 == 0)}
                        : scene.split.questions.of_window(window.objects, window.times, settings_.questions,
                                                          scene.random));
}

void DataSet::finish() {
  for (Split& split : splits_) split.lines.close();
  scenes_.close();
  if (!scenes_ || std::ranges::any_of(splits_, [](const Split& split) { return split.lines.fail(); }))
    throw std::runtime_error("cannot write to " + partial_.string());
  fs::rename(partial_, settings_.folder);
}

}  // namespace palisade::world
