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
#include "ingest/source/networks.h"
#include "ingest/source/source.h"
#include "model/config/model_config.h"
#include "model/matmul/precision.h"
#include "service/endpoints/endpoint.h"
#include "service/settings/prune.h"
#include "service/settings/written_streams.h"
#include "tasks/events/frame_storage.h"
#include "tasks/filters/text_redaction.h"
#include "tasks/rules/rule_settings.h"
#include "tasks/task.h"

namespace palisade {

// When a clip is asked about: always, where something moves in it, or when a control request asks for it.
enum class When { kAlways, kMotion, kDemand };

// The partner of each frame of a pair task: the frame of another stream nearest in wall time, or a picture
// kept by name. The stream's own frame comes first before another stream's, second after a picture.
struct PairPartner {
  std::string stream;
  std::chrono::milliseconds gap{500};  // largest difference in wall time
  std::string reference;
  std::filesystem::path picture;  // file of the reference; may be empty

  bool operator==(const PairPartner&) const = default;
};

// One task of one stream. `name` ends its topic, palisade/v1/STREAM/NAME.
struct TaskSettings {
  const Task* task = nullptr;
  std::string name;
  Wording wording;
  Sampling sampling;  // of single frames where `against` is set
  PairPartner against;
  When when = When::kAlways;
  Prune prune;
  std::filesystem::path adapter;            // folder; empty: the model alone
  std::optional<int> max_new_tokens;        // nothing: EngineSettings::max_new_tokens
  AnswerType answer_type;                   // of a question
  LocationScale locations;                  // of boxes
  bool location_spread = false;             // events tell how far the edges of boxes are spread
  std::optional<FrameStorage> keep_frames;  // nothing: as the journal's settings say
  // An answer with the same words as the last one is published as `unchanged_since`. With a likeness so is
  // one whose last picture is at least as alike as that, whatever its words.
  bool fold_repeats = false;
  std::optional<double> repeat_likeness;

  bool operator==(const TaskSettings&) const = default;
};

// Gates that keep clips from the language model. Off by default.
struct GateSettings {
  bool motion = false;             // skip clips in which nothing moves
  std::vector<Polygon> region;     // where motion counts; empty: everywhere
  std::optional<double> semantic;  // cosine of features above which the last answer still holds
  std::chrono::milliseconds longest_silence{120'000};  // after which the model is asked anyway

  bool operator==(const GateSettings&) const = default;
};

// A request for single frames by another stream's pair task.
struct Tap {
  std::string pairing;
  std::chrono::milliseconds every{500};

  bool operator==(const Tap&) const = default;
};

// An entry of `streams:` as JSON text, as it was written. How it was written does not make two streams
// differ.
struct WrittenText {
  std::string json;

  bool operator==(const WrittenText&) const { return true; }
};

struct StreamSettings {
  std::string name;
  SourceOptions source;          // with its password: never printed whole
  bool pace = true;              // files only
  bool loop = false;             // files only
  bool process = true;           // is read and decoded by a process of its own
  int process_memory_mb = 1536;  // address space of that
  int priority = 2;              // weight in the queue: 1 low, 2 normal, 4 high
  bool paused = false;           // is not read
  bool degrade = true;           // under load first fewer frames, then fewer clips; else clips are dropped
  std::vector<Polygon> masks;
  GateSettings gate;
  std::vector<TaskSettings> tasks;
  std::vector<Tap> taps;  // derived from the other streams' tasks
  WrittenText written;    // with its password

  bool operator==(const StreamSettings&) const = default;
};

struct EngineSettings {
  int max_new_tokens = 64;
  std::chrono::milliseconds deadline{120'000};
  std::chrono::milliseconds slice{100};
  int kv_cache_mb = 4096;

  bool operator==(const EngineSettings&) const = default;
};

// What is kept of events in the state folder, and for how long.
struct JournalSettings {
  bool on = true;
  std::chrono::hours events{30 * 24};
  FrameStorage frames = FrameStorage::kJpeg;
  std::chrono::hours frames_stay{7 * 24};
  double size_gb = 10;       // of events and frames together
  double free_percent = 10;  // of the disk, which frames leave to others

  bool operator==(const JournalSettings&) const = default;
};

// What is replaced in published text (text_redaction.h).
struct RedactionSettings {
  std::vector<std::string> kinds;  // of personal_data_kinds()
  std::vector<TextRedaction::Pattern> patterns;

  bool operator==(const RedactionSettings&) const = default;
};

// Files of keys for encrypted endpoints; empty: they are not encrypted.
struct KeySettings {
  std::filesystem::path server;   // the service's own pair
  std::filesystem::path clients;  // public keys of who may subscribe and ask

  bool operator==(const KeySettings&) const = default;
};

// The HTTP API; without an endpoint there is none.
struct HttpSettings {
  std::string endpoint;              // tcp://127.0.0.1:8420, ipc:///run/palisade/http
  std::vector<std::string> hosts;    // names that clients may use for it
  std::vector<std::string> origins;  // pages that may ask it
  // Of its own TLS, in PEM; empty: none. They are read again with the configuration.
  std::filesystem::path certificate, key;
  std::vector<std::string> trusted_proxies;  // addresses of servers that speak TLS in its stead
  // Where streams that are written while the service runs may be.
  std::vector<Network> networks = private_networks();

  bool operator==(const HttpSettings&) const = default;
};

// A configuration file; configs/palisade.yaml shows every key.
struct Settings {
  std::string node = "node-1";
  std::filesystem::path model;  // empty: the demo model
  std::string model_sha256;     // that the weight files must have, lower-case hex; empty: any
  std::optional<ResizePreset> resize;
  SlidingWindow sliding_window = SlidingWindow::kTransformers;
  PrecisionChoice precision = Precision::kF32;
  std::filesystem::path calibration;   // of int8; empty: calibration.json of the model folder, if any
  std::filesystem::path packed_cache;  // folder; empty: none
  std::filesystem::path mask_decoder;  // vae-oid.npz; empty: events have no masks
  std::string publish = local_endpoint("events");
  std::string control;          // endpoint for control requests; empty: none
  std::string replay;           // endpoint for what subscribers have missed; empty: none
  KeySettings keys;             // of publish and replay
  std::filesystem::path state;  // folder of the journal; empty: default_state_folder()
  JournalSettings journal;
  std::filesystem::path certainty;  // file of `palisade calibrate-answers`; empty: none
  RedactionSettings redact;
  HttpSettings http;
  EngineSettings engine;
  std::vector<StreamSettings> streams;
  std::vector<RuleSettings> rules;  // of all streams
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

// Throws SettingsError. `file` is named in problems. Also reads the files of password_file.
Settings parse_settings(std::string_view text, const std::string& file,
                        const std::vector<WrittenStream>& written = {});
// With the streams that were written below its state folder, and in their place those in `more`.
Settings read_settings(const std::filesystem::path& file, const std::vector<WrittenStream>& more = {});

// ^[a-z0-9_-]{1,64}$
bool is_name(std::string_view name);
// The name of the pairing of a task that is paired with another stream.
std::string pairing_of(const std::string& stream, const std::string& task);
// Names the changes that need a restart ("model, engine"), or is empty.
std::string needs_restart(const Settings& running, const Settings& wanted);
// Several lines about what would run, without passwords.
std::string summary_of(const Settings& settings);

}  // namespace palisade
