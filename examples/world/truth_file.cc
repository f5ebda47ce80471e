#include "examples/world/truth_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace palisade::world {

using Json = nlohmann::json;

Json to_json(const Object& object, double time_zero) {
  Json knots = Json::array();
  for (const Knot& knot : object.knots) knots.push_back({time_zero + knot.t, knot.x});
  return {{"id", object.id},
          {"kind", facts(object.kind).name},
          {"colour", name(object.colour)},
          {"tint", object.tint},
          {"scale", object.scale},
          {"facing", object.faces_right ? "right" : "left"},
          {"baseline_y", object.baseline},
          {"width", object.width},
          {"height", object.height},
          {"knots_t_x", std::move(knots)}};
}

Object object_from_json(const Json& json) {
  const auto kind = kind_named(json.at("kind").get<std::string>());
  const auto colour = colour_named(json.at("colour").get<std::string>());
  if (!kind || !colour) throw std::runtime_error("not an object of the demo world: " + json.dump());
  Object object;
  object.id = json.at("id");
  object.kind = *kind;
  object.colour = *colour;
  object.tint = json.at("tint");
  object.scale = json.at("scale");
  object.baseline = json.at("baseline_y");
  object.faces_right = json.at("facing") == "right";
  object.width = json.at("width");
  object.height = json.at("height");
  if (json.contains("x")) object.knots = {{0, json.at("x")}};  // an object that stands still
  for (const Json& knot : json.value("knots_t_x", Json::array()))
    object.knots.push_back({knot.at(0), knot.at(1)});
  return object;
}

Json to_json(const Look& look) {
  return {{"background", look.background},
          {"mirrored", look.mirrored},
          {"light", look.light},
          {"gain", look.gain},
          {"noise_sigma", look.noise_sigma}};
}

Look look_from_json(const Json& json) {
  Look look;
  look.background = json.at("background");
  look.mirrored = json.at("mirrored");
  look.light = json.value("light", "day");
  look.gain = json.at("gain");
  look.noise_sigma = json.value("noise_sigma", 0.0);
  return look;
}

TruthWriter::TruthWriter(const std::filesystem::path& file)
    : descriptor_(open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0)
    throw std::runtime_error("cannot write the truth to " + file.string() + ": " + std::strerror(errno));
}

TruthWriter::~TruthWriter() {
  close(descriptor_);
}

// Each line is one unbuffered write, so that a reader sees whole lines at once.
void TruthWriter::write(const Json& line) {
  const std::string text = line.dump() + "\n";
  const std::lock_guard lock(mutex_);
  if (::write(descriptor_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw std::runtime_error(std::string("cannot write the truth: ") + std::strerror(errno));
}

void TruthWriter::scene(std::string_view camera, double start, const Look& look) {
  Json line = to_json(look);
  line.update({{"camera", camera}, {"type", "scene"}, {"start", start}});
  write(line);
}

void TruthWriter::object(std::string_view camera, double start, const Object& object) {
  Json line = to_json(object, start);
  line.update({{"camera", camera}, {"type", "object"}});
  write(line);
}

void TruthReader::refresh() {
  struct stat status {};
  if (stat(file_.c_str(), &status) != 0) return;
  if (status.st_ino != inode_ || static_cast<std::uintmax_t>(status.st_size) < read_) {
    inode_ = status.st_ino;
    read_ = 0;
    cameras_.clear();
  }
  std::ifstream input(file_);
  input.seekg(static_cast<std::streamoff>(read_));
  std::string line;
  while (std::getline(input, line) && !input.eof()) {  // a last line without its "\n" is still being written
    read_ += line.size() + 1;
    take(line);
  }
}

void TruthReader::take(const std::string& line) {
  const Json json = Json::parse(line);
  CameraTruth& camera = cameras_[json.at("camera").get<std::string>()];
  if (json.at("type") == "scene") {
    camera = {json.at("start"), look_from_json(json), {}};
  } else if (json.at("type") == "object") {
    camera.objects.push_back(object_from_json(json));
    const double oldest = camera.objects.back().from() - kMemory;
    std::erase_if(camera.objects, [&](const Object& object) { return object.until() < oldest; });
  }
}

const CameraTruth* TruthReader::camera(std::string_view name) const {
  const auto found = cameras_.find(name);
  return found == cameras_.end() ? nullptr : &found->second;
}

}  // namespace palisade::world
