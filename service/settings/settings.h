#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "frames/region.h"
#include "frames/resize.h"
#include "frames/sampling.h"
#include "ingest/source/source.h"
#include "model/config/model_config.h"
#include "model/matmul/precision.h"
#include "service/endpoints/endpoint.h"
#include "service/settings/prune.h"
#include "tasks/task.h"

namespace palisade {

// When a clip is asked about: always, where something moves in it, or where somebody asks for it (Control).
enum class When { kAlways, kMotion, kDemand };

// What each frame of a task is paired with, if with anything: the frame of another stream that is nearest in
// wall time, or a picture kept by name. In the first case the stream's own frame comes first, in the second
// the picture.
struct PairPartner {
  std::string stream;
  std::chrono::milliseconds gap{500};  // allowed between the two
  std::string reference;
  std::filesystem::path picture;  // where the reference is read from and kept; may be empty

  bool operator==(const PairPartner&) const = default;
};

// One task of one stream: what to ask of which frames. `name` ends its topic, palisade/v1/STREAM/NAME.
struct TaskSettings {
  const Task* task = nullptr;
  std::string name;
  Wording wording;
  Sampling sampling;  // with `against`: of single frames
  PairPartner against;
  When when = When::kAlways;
  Prune prune;

  bool operator==(const TaskSettings&) const = default;
};

// When a clip is not worth the language model's time. Off where nothing is said.
struct GateSettings {
  bool motion = false;             // clips in which nothing moves go no further
  std::vector<Polygon> region;     // where motion counts; empty: everywhere
  std::optional<double> semantic;  // features this alike mean the same: the last answer still holds
  std::chrono::milliseconds longest_silence{120'000};  // after which the model is asked anyway

  bool operator==(const GateSettings&) const = default;
};

// A pairing for which another stream wants this one's frames.
struct Tap {
  std::string pairing;
  std::chrono::milliseconds every{500};

  bool operator==(const Tap&) const = default;
};

struct StreamSettings {
  std::string name;
  SourceOptions source;  // with its password: never printed whole
  bool pace = true;      // files only
  bool loop = false;     // files only
  bool process = false;  // is read and decoded by a process of its own
  int priority = 2;      // its share of the engine's turns when many wait: 1 low, 2 normal, 4 high
  bool degrade = true;   // fewer frames and clips where the engine does not keep up; else clips are just lost
  std::vector<Polygon> masks;
  GateSettings gate;
  std::vector<TaskSettings> tasks;
  std::vector<Tap> taps;  // follows from the other streams' tasks

  bool operator==(const StreamSettings&) const = default;
};

struct EngineSettings {
  int max_new_tokens = 64;
  std::chrono::milliseconds deadline{120'000};
  std::chrono::milliseconds slice{100};
  int kv_cache_mb = 4096;

  bool operator==(const EngineSettings&) const = default;
};

// What a configuration file says; configs/palisade.yaml shows every key.
struct Settings {
  std::string node = "node-1";
  std::filesystem::path model;  // empty: the demo model
  std::string model_sha256;     // of its weight files, lower-case hex; empty: any
  std::optional<ResizePreset> resize;
  SlidingWindow sliding_window = SlidingWindow::kTransformers;
  PrecisionChoice precision = Precision::kF32;
  std::filesystem::path calibration;   // int8's; empty: the model folder's own
  std::filesystem::path packed_cache;  // folder; empty: none
  std::string publish = local_endpoint("events");
  std::string control;  // where requests are taken (see Control); empty: nowhere
  EngineSettings engine;
  std::vector<StreamSettings> streams;
};

// A configuration that cannot be used. `problems` lists all of them, each FILE:LINE:COLUMN: what is wrong;
// remedy.
class SettingsError : public Error {
 public:
  explicit SettingsError(std::vector<std::string> problems);
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  std::vector<std::string> problems_;
};

// Throws SettingsError. `file` names the text in problems. Reads password_file files.
Settings parse_settings(std::string_view text, const std::string& file);
Settings read_settings(const std::filesystem::path& file);

// ^[a-z0-9_-]{1,64}$
bool is_name(std::string_view name);
// The Pairing of a stream's task that is against another stream.
std::string pairing_of(const std::string& stream, const std::string& task);
// What of a new configuration cannot be taken on while running, or nothing: "model, engine".
std::string needs_restart(const Settings& running, const Settings& wanted);
// For people, several lines: what would run. No password.
std::string summary_of(const Settings& settings);

}  // namespace palisade
