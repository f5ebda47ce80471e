#include "service/settings/settings.h"

#include <algorithm>
#include <set>

#include "base/duration.h"
#include "base/format.h"
#include "base/joined.h"
#include "base/json.h"
#include "base/log.h"
#include "ingest/source/url.h"
#include "model/weights/weights_hash.h"
#include "service/settings/settings_gate.h"
#include "service/settings/settings_http.h"
#include "service/settings/settings_journal.h"
#include "service/settings/settings_reader.h"
#include "service/settings/settings_rules.h"
#include "service/settings/settings_stream.h"
#include "service/settings/settings_tree.h"
#include "service/settings/written_json.h"
#include "tasks/filters/personal_data.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxStreams = 64;

// Returns whether the longest answer of all tasks is said.
bool read_engine(SettingsReader& root, EngineSettings& engine, std::vector<Problem>& problems) {
  const YamlNode* const node = root.find("engine");
  if (node == nullptr) return false;
  SettingsReader reader(*node, "engine", problems);
  const bool length_is_set = reader.read("max_new_tokens", engine.max_new_tokens, 1, 512);
  reader.read("deadline", engine.deadline, std::chrono::milliseconds(100));
  reader.read("slice", engine.slice, std::chrono::milliseconds(1));
  reader.read("kv_cache_mb", engine.kv_cache_mb, 1, 1 << 20);
  reader.finish();
  return length_is_set;
}

// Where nobody says how long an answer may be, its kind of task does.
void set_own_lengths(Settings& settings) {
  for (StreamSettings& stream : settings.streams) {
    for (TaskSettings& task : stream.tasks) {
      if (task.task && !task.max_new_tokens) task.max_new_tokens = task.task->max_new_tokens;
    }
  }
}

void read_resize(SettingsReader& reader, Settings& settings) {
  std::string name;
  if (!reader.read("resize", name)) return;
  settings.resize = resize_preset_of(name);
  if (!settings.resize) {
    reader.problem("resize",
                   "unknown resize '" + name +
                       "'; known are hf-bicubic, hf-bilinear, bv-bilinear, bv-bilinear-aa, bv-video-float");
  }
}

void read_sliding_window(SettingsReader& reader, Settings& settings) {
  std::string name;
  if (!reader.read("sliding_window", name)) return;
  const auto window = sliding_window_of(name);
  if (!window) reader.problem("sliding_window", "sliding_window is transformers or none, not '" + name + "'");
  settings.sliding_window = window.value_or(settings.sliding_window);
}

void read_precision_of(SettingsReader& reader, Settings& settings) {
  std::string name;
  if (reader.read("precision", name) && !read_precision(name, settings.precision))
    reader.problem("precision", "precision is f32, bf16, int8 or auto, not '" + name + "'");
}

void read_keys(SettingsReader& reader, KeySettings& keys, std::vector<Problem>& problems) {
  const YamlNode* const node = reader.find("keys");
  if (node == nullptr) return;
  SettingsReader entries(*node, "keys", problems);
  std::string server, clients;
  if (entries.read("server", server)) keys.server = server;
  if (entries.read("clients", clients)) keys.clients = clients;
  if (server.empty() || clients.empty())
    entries.problem(
        "server",
        "keys names two files: {server: server.key, clients: clients}; `palisade keys new` makes keys");
  entries.finish();
}

// Beside the default endpoint of events there is one for what was missed; another has to be named.
void read_replay(SettingsReader& reader, Settings& settings) {
  if (!reader.has("replay")) {
    if (!reader.has("publish")) settings.replay = local_endpoint("replay");
    reader.find("replay");
  } else if (reader.read("replay", settings.replay)) {
    if (auto fault = endpoint_fault(settings.replay, !settings.keys.server.empty()))
      reader.problem("replay", "replay: " + *fault);
  }
}

// `redact: {personal_data: [KIND ...], patterns: {NAME: EXPRESSION ...}}`
void read_redaction(SettingsReader& reader, RedactionSettings& redact, std::vector<Problem>& problems) {
  const YamlNode* const node = reader.find("redact");
  if (node == nullptr) return;
  SettingsReader inner(*node, "redact", problems);
  redact.kinds = inner.names("personal_data", personal_data_kinds());
  if (const YamlNode* const patterns = inner.find("patterns")) {
    SettingsReader each(*patterns, "patterns", problems);
    for (const YamlNode::Entry& entry : patterns->entries) {
      std::string expression;
      if (!each.read(entry.key, expression)) continue;
      redact.patterns.push_back({entry.key, expression});
      try {
        TextRedaction({}, {redact.patterns.back()});
      } catch (const PatternError& error) {
        each.problem(entry.key, error.what());
      }
    }
  }
  inner.finish();
}

// Adds a tap to every stream whose frames this stream's tasks are paired with.
void add_taps(Settings& settings, std::size_t index, Place place, std::vector<Problem>& problems) {
  const StreamSettings& stream = settings.streams[index];
  for (const TaskSettings& task : stream.tasks) {
    if (task.against.stream.empty()) continue;
    const auto other = std::ranges::find(settings.streams, task.against.stream, &StreamSettings::name);
    if (other == settings.streams.end() || other->name == stream.name) {
      problems.push_back({place, "task '" + task.name + "' is against stream '" + task.against.stream +
                                     "', which is " +
                                     (other == settings.streams.end() ? "not there" : "its own") +
                                     "; name another stream of this configuration"});
      continue;
    }
    // At half the gap the nearest frame is at most a quarter of the gap away.
    other->taps.push_back({.pairing = pairing_of(stream.name, task.name),
                           .every = std::max(std::chrono::milliseconds(100), task.against.gap / 2)});
  }
}

// A stream of the configuration, or of a file of its own.
struct StreamNode {
  YamlNode node;
  std::string file;  // empty: the configuration's
};

// Problems of a file of its own name that file.
template <class Read>
void read_stream_node(const std::string& file, std::vector<Problem>& problems, Read&& read) {
  if (file.empty()) return read(problems);
  std::vector<Problem> own;
  read(own);
  for (const std::string& problem : problem_lines(std::move(own), file)) problems.push_back({{}, problem});
}

// The streams of the configuration, and in their place or behind them those that were written.
std::vector<StreamNode> stream_nodes(const std::vector<YamlNode>* configured,
                                     const std::vector<WrittenStream>& written,
                                     std::vector<Problem>& problems) {
  const auto name_in = [](const StreamNode& stream) {
    const auto& entries = stream.node.entries;
    const auto entry = std::ranges::find(entries, "name", &YamlNode::Entry::key);
    return entry == entries.end() ? std::string() : entry->value.text;
  };
  std::vector<StreamNode> nodes;
  if (configured != nullptr) {
    for (const YamlNode& node : *configured) nodes.push_back({node, ""});
  }
  for (const WrittenStream& stream : written) {
    StreamNode own{{}, stream.file};
    read_stream_node(stream.file, problems,
                     [&](std::vector<Problem>& found) { own.node = read_yaml(stream.text, found); });
    const auto same = std::ranges::find(nodes, name_in(own), name_in);
    if (same == nodes.end()) {
      nodes.push_back(std::move(own));
    } else {
      *same = std::move(own);
    }
  }
  return nodes;
}

// That the configuration's own streams name.
std::vector<std::string> configured_hosts(const std::vector<YamlNode>* configured) {
  std::vector<std::string> hosts;
  if (configured == nullptr) return hosts;
  for (const YamlNode& node : *configured) {
    const auto url = std::ranges::find(node.entries, "url", &YamlNode::Entry::key);
    if (url != node.entries.end()) hosts.push_back(host_of(url->value.text));
  }
  return hosts;
}

void read_streams(SettingsReader& reader, Settings& settings, const std::vector<WrittenStream>& written,
                  std::vector<Problem>& problems) {
  const std::vector<YamlNode>* const streams = reader.list("streams");
  // With the HTTP API there is something to do without one.
  if (streams == nullptr && !reader.has("streams") && settings.http.endpoint.empty())
    reader.problem("streams", "no streams; add 'streams:' with at least one");
  if (streams == nullptr && written.empty()) return;
  const std::vector<StreamNode> all = stream_nodes(streams, written, problems);
  if (all.empty() && !settings.http.endpoint.empty()) return;
  if (all.empty() || all.size() > kMaxStreams) {
    reader.problem("streams", format("1 to {} streams, not {}", kMaxStreams, all.size()));
    return;
  }
  const std::vector<std::string> hosts = configured_hosts(streams);
  std::set<std::string> names;
  std::vector<YamlNode> nodes;
  for (const auto& [node, file] : all) {
    StreamSettings stream;
    read_stream_node(file, problems, [&](std::vector<Problem>& found) {
      stream = read_stream(node, found);
      SettingsReader place(node, "a stream", found);
      if (!file.empty() && node.kind == YamlNode::Kind::kMap)
        keep_to_networks(stream, settings.http, hosts, place);
    });
    if (!stream.name.empty() && !names.insert(stream.name).second) {
      problems.push_back({node.place, "a second stream '" + stream.name + "'; names are unique"});
    }
    stream.written.json = json_text_of(node);
    settings.streams.push_back(std::move(stream));
    nodes.push_back(node);
  }
  for (std::size_t i = 0; i < settings.streams.size(); ++i) add_taps(settings, i, nodes[i].place, problems);
  read_rules(nodes, settings, problems);
}

}  // namespace

SettingsError::SettingsError(std::vector<std::string> problems)
    : Error(joined(problems, "\n"), ErrorKind::kWrongUse), problems_(std::move(problems)) {}

bool is_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, allowed);
}

Settings parse_settings(std::string_view text, const std::string& file,
                        const std::vector<WrittenStream>& written) {
  std::vector<Problem> problems;
  const YamlNode root = read_yaml(text, problems);
  Settings settings;
  // A document that was read in part would only give follow-up problems.
  if (problems.empty() || root.kind != YamlNode::Kind::kNothing) {
    SettingsReader reader(root, "the configuration", problems);
    if (reader.read("node", settings.node) && !is_name(settings.node)) {
      reader.problem("node", "node is 1 to 64 of a-z, 0-9, _ and -, not '" + settings.node + "'");
    }
    std::string model;
    if (reader.read("model", model)) settings.model = model;
    if (reader.read("model_sha256", settings.model_sha256)) {
      const auto hex = pinned_sha256(settings.model_sha256);
      if (!hex)
        reader.problem("model_sha256", "model_sha256 is 64 hex digits, as events name it (model.sha256)");
      settings.model_sha256 = hex.value_or("");
    }
    read_resize(reader, settings);
    read_sliding_window(reader, settings);
    read_precision_of(reader, settings);
    std::string calibration, packed_cache, certainty;
    if (reader.read("certainty", certainty)) settings.certainty = certainty;
    if (reader.read("calibration", calibration)) settings.calibration = calibration;
    if (reader.read("packed_cache", packed_cache)) settings.packed_cache = packed_cache;
    std::string mask_decoder;
    if (reader.read("mask_decoder", mask_decoder)) settings.mask_decoder = mask_decoder;
    read_keys(reader, settings.keys, problems);
    const bool encrypted = !settings.keys.server.empty();
    if (reader.read("publish", settings.publish)) {
      if (auto fault = endpoint_fault(settings.publish, encrypted))
        reader.problem("publish", "publish: " + *fault);
    }
    if (reader.read("control", settings.control)) {
      if (auto fault = endpoint_fault(settings.control)) reader.problem("control", "control: " + *fault);
    }
    read_replay(reader, settings);
    std::string state;
    if (reader.read("state", state)) settings.state = state;
    settings.journal = read_journal(reader, problems);
    read_redaction(reader, settings.redact, problems);
    read_http(reader, settings.http, problems);
    const bool length_is_set = read_engine(reader, settings.engine, problems);
    read_streams(reader, settings, written, problems);
    if (!length_is_set) set_own_lengths(settings);
    reader.finish();
  }
  if (!problems.empty()) throw SettingsError(problem_lines(std::move(problems), file));
  return settings;
}

Settings read_settings(const std::filesystem::path& file, const std::vector<WrittenStream>& more) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    throw SettingsError(
        {file.string() + ": no such file; give a configuration such as configs/palisade.yaml"});
  }
  std::string text;
  try {
    text = read_text_file(file, kMaxYamlBytes);
  } catch (const Error& fault) {
    throw SettingsError({fault.what()});
  }
  Settings settings = parse_settings(text, file.string());
  if (settings.http.endpoint.empty()) return settings;
  std::vector<WrittenStream> written = written_streams(state_folder_of(settings));
  written.insert(written.end(), more.begin(), more.end());
  return written.empty() ? settings : parse_settings(text, file.string(), written);
}

std::string pairing_of(const std::string& stream, const std::string& task) {
  return stream + "/" + task;
}

std::string needs_restart(const Settings& running, const Settings& wanted) {
  std::string keys;
  const auto note = [&](const char* key, bool same) {
    if (!same) keys += (keys.empty() ? "" : ", ") + std::string(key);
  };
  note("node", running.node == wanted.node);
  note("model", running.model == wanted.model);
  note("model_sha256", running.model_sha256 == wanted.model_sha256);
  note("resize", running.resize == wanted.resize);
  note("sliding_window", running.sliding_window == wanted.sliding_window);
  note("precision", running.precision == wanted.precision);
  note("calibration", running.calibration == wanted.calibration);
  note("packed_cache", running.packed_cache == wanted.packed_cache);
  note("mask_decoder", running.mask_decoder == wanted.mask_decoder);
  note("publish", running.publish == wanted.publish);
  note("control", running.control == wanted.control);
  note("keys", running.keys == wanted.keys);
  note("replay", running.replay == wanted.replay);
  note("state", running.state == wanted.state);
  note("journal", running.journal == wanted.journal);
  note("certainty", running.certainty == wanted.certainty);
  note("http", running.http == wanted.http);
  note("redact", running.redact == wanted.redact);
  note("engine", running.engine == wanted.engine);
  return keys;
}

std::string summary_of(const Settings& settings) {
  std::string text =
      format("node {}, model {}, events on {}\n", settings.node,
             settings.model.empty() ? "(the demo model)" : settings.model.string(), settings.publish);
  for (const StreamSettings& stream : settings.streams) {
    text += format("stream {}: {}\n{}", stream.name, redact_url(stream.source.url), gate_summary(stream));
    for (const TaskSettings& task : stream.tasks) {
      const Sampling& sampling = task.sampling;
      text += format("  {}: \"{}\" over {} {}", task.name, escaped(task.task->prompt(task.wording)),
                     sampling.count, sampling.count == 1 ? "frame" : "frames");
      if (!task.against.stream.empty()) text += " against stream " + task.against.stream;
      if (!task.against.reference.empty()) text += " against picture " + task.against.reference;
      if (sampling.policy == SamplingPolicy::kStride) {
        text += format(", each {}th", sampling.frame_step);
      } else if (sampling.count > 1) {
        text += " of " + duration_text(sampling.span);
      }
      if (sampling.policy == SamplingPolicy::kKeyframes) text += ", keyframes only";
      text += ", every " + duration_text(sampling.stride);
      if (task.prune) text += ", read " + prune_text(task.prune);
      if (!task.adapter.empty()) text += ", with adapter " + task.adapter.string();
      if (task.when == When::kMotion) text += ", where something moves";
      if (task.when == When::kDemand) text += ", on demand";
      text += "\n";
    }
  }
  return text;
}

}  // namespace palisade
