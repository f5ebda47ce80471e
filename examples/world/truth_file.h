#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "examples/world/scene.h"

namespace palisade::world {

// An object with the field names of the demo world's samples; knots_t_x in seconds of `time_zero`'s clock.
nlohmann::json to_json(const Object& object, double time_zero);
Object object_from_json(const nlohmann::json& json);
nlohmann::json to_json(const Look& look);
Look look_from_json(const nlohmann::json& json);

// The cameras' account of what they show: JSON lines, one where a scene begins and one for an object's whole
// life, written before the object is in view; times are wall time in seconds. Safe from any thread.
class TruthWriter {
 public:
  // Begins the file anew. Throws when it cannot be written.
  explicit TruthWriter(const std::filesystem::path& file);
  ~TruthWriter();
  TruthWriter(const TruthWriter&) = delete;
  TruthWriter& operator=(const TruthWriter&) = delete;

  void scene(std::string_view camera, double start, const Look& look);
  // The object's knots are in seconds after `start`.
  void object(std::string_view camera, double start, const Object& object);

 private:
  void write(const nlohmann::json& line);

  std::mutex mutex_;
  int descriptor_;  // guarded by mutex_
};

// What one camera showed. Knots are in wall time.
struct CameraTruth {
  double since = 0;  // nothing is known of the time before
  Look look;
  std::vector<Object> objects;
};

// Reads a truth file while it is being written. Remembers kMemory seconds. Used by one thread.
class TruthReader {
 public:
  explicit TruthReader(std::filesystem::path file) : file_(std::move(file)) {}

  // Takes in what was added since; starts over when the file was begun anew. A missing file is no error.
  void refresh();
  // Nothing for a camera that the file does not know.
  const CameraTruth* camera(std::string_view name) const;

  static constexpr double kMemory = 600;

 private:
  void take(const std::string& line);

  std::filesystem::path file_;
  std::uintmax_t read_ = 0;
  std::uint64_t inode_ = 0;
  std::map<std::string, CameraTruth, std::less<>> cameras_;
};

}  // namespace palisade::world
