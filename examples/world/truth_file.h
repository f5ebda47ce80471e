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

// An object as JSON with the field names of the demo world's samples; times in knots_t_x are relative to
// `time_zero`.
nlohmann::json to_json(const Object& object, double time_zero);
Object object_from_json(const nlohmann::json& json);
nlohmann::json to_json(const Look& look);
Look look_from_json(const nlohmann::json& json);

// Writes what the cameras show as JSON lines: one for the beginning of a scene, and one for each object,
// before it comes into view. Times are wall time in seconds. Thread-safe.
class TruthWriter {
 public:
  // Replaces an existing file. Throws if it cannot be written.
  explicit TruthWriter(const std::filesystem::path& file);
  ~TruthWriter();
  TruthWriter(const TruthWriter&) = delete;
  TruthWriter& operator=(const TruthWriter&) = delete;

  void scene(std::string_view camera, double start, const Look& look);
  // The object's times are in seconds after `start`.
  void object(std::string_view camera, double start, const Object& object);

 private:
  void write(const nlohmann::json& line);

  std::mutex mutex_;
  int descriptor_;  // guarded by mutex_
};

// What one camera showed. Knots have wall times.
struct CameraTruth {
  double since = 0;  // wall time before which nothing is known
  Look look;
  std::vector<Object> objects;
};

// Reads a truth file while it is being written. Remembers kMemory seconds. Not thread-safe.
class TruthReader {
 public:
  explicit TruthReader(std::filesystem::path file) : file_(std::move(file)) {}

  // Reads what was added since the last call, or everything if the file was replaced. A missing file is no
  // error.
  void refresh();
  // Nothing if the file does not contain the camera.
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
