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
  std::optional<Kind> about;              // asks only whether there is one; every other scene shows one
  int questions = 5;                      // a scene
  std::array<int, 3> shares{80, 10, 10};  // of training, validation and test, per cent
  int kbit_per_second = 1000;             // of clips
};

// Draws scenes of the demo world into files: pictures and clips, a JSONL file a split as `palisade transfer`
// reads them, and scenes.jsonl with everything that is true of them. Scene n of a seed is the same, and in
// the same split, however many there are. Writes into FOLDER.partial, which becomes FOLDER at the end. Used
// by one thread.
class DataSet {
 public:
  // `sprites` outlives the set. Throws when the folder is there already.
  DataSet(DataSetSettings settings, const Sprites& sprites);

  // Each throws std::runtime_error when its files cannot be written.
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
