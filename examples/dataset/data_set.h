#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "examples/world/questions.h"
#include "examples/world/scenes.h"
#include "examples/world/sprite.h"

namespace palisade::world {

struct DataSetSettings {
  std::filesystem::path folder;
  std::uint64_t seed = 1;
  std::vector<Kind> kinds{kStreetKinds.begin(), kStreetKinds.end()};
  std::optional<Kind>
      about;          // if set: questions ask only whether the scene shows this kind; half of the scenes do
  int questions = 5;  // per scene
  std::array<int, 3> shares{80, 10, 10};  // training, validation and test, in per cent
  int kbit_per_second = 1000;             // bit rate of clips
};

// Draws scenes of the demo world into files: pictures and clips, one JSONL file for each split in the format
// of `palisade transfer`, and scenes.jsonl with the truth about every scene. Scene n of a seed is always the
// same and in the same split, however many scenes are drawn. Writes into FOLDER.partial, which is renamed to
// FOLDER at the end. Not thread-safe.
class DataSet {
 public:
  // `sprites` outlives the set. Throws if the folder already exists.
  DataSet(DataSetSettings settings, const Sprites& sprites);

  // These throw std::runtime_error if a file cannot be written.
  void add_still(int number);
  void add_pair(int number);
  void add_window(int number);
  void finish();

 private:
  struct Split {
    Split(const std::filesystem::path& folder, const std::string& split_name, Kinds kinds);
    std::string name;
    Questions questions;
    std::ofstream lines;
  };
  struct Scene;
  Scene begin(const std::string& form, int number);
  void draw_picture(const std::string& file, const Look& look, const std::vector<Object>& objects,
                    Random& random) const;
  Question whether(bool there) const;
  void write(Scene& scene, const nlohmann::json& pictures, const std::vector<Question>& questions);
  bool wanted(const std::vector<Object>& objects, const std::vector<double>& times, int number) const;

  const DataSetSettings settings_;
  const Sprites& sprites_;
  const std::filesystem::path partial_;
  std::vector<Split> splits_;
  std::ofstream scenes_;
};

}  // namespace palisade::world
