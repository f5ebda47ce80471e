#include "service/settings/settings_stream.h"

#include <algorithm>
#include <set>

#include "base/duration.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "ingest/rtsp/rtsp_address.h"
#include "ingest/source/url.h"
#include "service/settings/secret_file.h"
#include "service/settings/settings_answer.h"
#include "service/settings/settings_decoding.h"
#include "service/settings/settings_gate.h"
#include "service/settings/settings_journal.h"
#include "service/settings/settings_reader.h"
#include "service/settings/settings_trust.h"
#include "service/settings/shipped.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxTasks = 16;
constexpr int kMinProcessMemoryMb = 512;
constexpr int kMaxOpenClips = 64;
constexpr milliseconds kMinStride{100};
constexpr std::size_t kMaxPassword = 4096;

// Defaults for stills, pairs and video.
Sampling default_sampling(int frames) {
  if (frames == 1) return {.count = 1, .span = milliseconds(0), .stride = milliseconds(5000)};
  if (frames == 2) return {.count = 2, .span = milliseconds(10'000), .stride = milliseconds(10'000)};
  return {.count = frames, .span = milliseconds(4000), .stride = milliseconds(4000)};
}

std::string counts_text(const Task& task) {
  std::vector<int> counts(task.frame_counts.begin(), task.frame_counts.end());
  std::ranges::sort(counts);
  std::string text;
  for (const int count : counts) text += format("{}{}", text.empty() ? "" : " or ", count);
  return text;
}

std::string task_names() {
  std::string text;
  for (const Task& task : all_tasks()) text += (text.empty() ? "" : ", ") + std::string(task.name);
  return text;
}

void read_policy(SettingsReader& reader, Sampling& sampling) {
  std::string policy = "uniform";
  constexpr std::string_view kPolicies[] = {"uniform", "keyframes", "stride", "motion"};
  if (reader.read("policy", policy) && std::ranges::find(kPolicies, policy) == std::end(kPolicies)) {
    reader.problem("policy", "policy is uniform, keyframes, stride or motion, not '" + policy + "'");
  }
  if (policy == "stride") sampling.policy = SamplingPolicy::kStride;
  if (policy == "keyframes") sampling.policy = SamplingPolicy::kKeyframes;
  if (policy == "motion") sampling.policy = SamplingPolicy::kMotion;
  if (policy == "motion" && sampling.count < 3) {
    reader.problem("policy", "policy: motion chooses among the frames of a span; it needs frames: 16");
  }
  const bool has_step = reader.read("frame_step", sampling.frame_step, 1, 10'000);
  if (policy == "stride" && !reader.has("frame_step")) {
    reader.problem("policy", "the stride policy needs frame_step, such as frame_step: 9");
  }
  if (policy != "stride" && has_step) {
    reader.problem("frame_step", "frame_step belongs to policy: stride; add that or remove it");
  }
}

Sampling read_sampling(SettingsReader& reader, const Task& task) {
  int frames = task.frame_counts.front();
  if (reader.read("frames", frames, 1, 16) && !task.accepts(frames)) {
    const std::string counts = counts_text(task);
    reader.problem("frames",
                   format("a {} sees {} {}", task.name, counts, counts == "1" ? "frame" : "frames"));
  }
  Sampling sampling = default_sampling(frames);
  read_policy(reader, sampling);
  const bool has_span = reader.read("span", sampling.span, milliseconds(0));
  if (has_span && sampling.policy == SamplingPolicy::kStride) {
    reader.problem("span", "span is not used by policy: stride (frame_step says it); remove it");
  } else if (has_span && frames == 1 && sampling.span.count() > 0) {
    reader.problem("span", "one frame spans nothing; remove span or raise frames");
  } else if (has_span && frames > 1 && sampling.span.count() == 0) {
    reader.problem("span", "span is the time from the first to the last frame; more than 0s");
  }
  // By default windows follow one another without a gap.
  if (has_span && frames > 1 && !reader.has("every")) sampling.stride = std::max(sampling.span, kMinStride);
  reader.read("every", sampling.stride, kMinStride);
  if (sampling.stride.count() > 0 && sampling.span / sampling.stride >= kMaxOpenClips) {
    reader.problem("every", format("span is more than {} times every; sample less often or over less time",
                                   kMaxOpenClips));
  }
  return sampling;
}

void read_when(SettingsReader& reader, TaskSettings& settings) {
  std::string when = "always";
  reader.read("when", when);
  if (when != "always" && when != "motion" && when != "demand")
    reader.problem("when", "when is always, motion or demand, not '" + when + "'");
  settings.when = when == "motion" ? When::kMotion : when == "demand" ? When::kDemand : When::kAlways;
}

void read_prune_of(SettingsReader& reader, TaskSettings& settings) {
  std::string text;
  if (!reader.read("prune", text)) return;
  if (!read_prune(text, settings.prune)) {
    reader.problem("prune", "prune is " + std::string(kPruneForms) + ", not '" + text + "'");
  } else if (settings.prune && settings.sampling.count < kMinPrunedFrames) {
    reader.problem("prune", "prune: static leaves out what the frames of a video share; it needs frames: 16");
  }
}

// Reads `against`, the partner of a pair. The stream's own clips are then single frames.
void read_against(SettingsReader& reader, TaskSettings& settings, std::vector<Problem>& problems) {
  const YamlNode* const node = reader.find("against");
  if (node == nullptr) return;
  PairPartner& against = settings.against;
  SettingsReader inner(*node, "against", problems);
  inner.read("stream", against.stream);
  const bool has_gap = inner.read("gap", against.gap, milliseconds(1));
  inner.read("reference", against.reference);
  std::string picture;
  if (inner.read("picture", picture)) against.picture = picture;
  if (against.stream.empty() == against.reference.empty()) {
    inner.problem("stream",
                  "against is {stream: NAME} or {reference: NAME, picture: FILE}; give one of them");
  }
  if (has_gap && against.stream.empty()) inner.problem("gap", "gap belongs to a stream; remove it");
  if (!picture.empty() && against.reference.empty())
    inner.problem("picture", "picture belongs to a reference; remove it");
  if (!against.reference.empty() && !is_name(against.reference))
    inner.problem("reference",
                  "a reference's name is 1 to 64 of a-z, 0-9, _ and -, not '" + against.reference + "'");
  inner.finish();
  if (!settings.task->accepts(2))
    reader.problem("against", "a " + std::string(settings.task->name) + " is not asked about two frames");
  for (const char* const key : {"frames", "span", "policy", "frame_step"}) {
    if (reader.has(key))
      reader.problem(key, std::string(key) + " is not used with against: a pair is this frame and that one");
  }
  settings.sampling = {.count = 1, .span = milliseconds(0), .stride = settings.sampling.stride};
}

// `repeats: all`, `repeats: fold`, or {likeness: 0.98}.
void read_repeats(SettingsReader& reader, TaskSettings& settings, std::vector<Problem>& problems) {
  const YamlNode* const node = reader.find("repeats");
  if (node == nullptr) return;
  if (node->kind == YamlNode::Kind::kMap) {
    SettingsReader inner(*node, "repeats", problems);
    double likeness = 0;
    if (inner.read_share("likeness", likeness)) settings.repeat_likeness = likeness;
    if (likeness < 0.5)
      inner.problem("likeness", "likeness is the least cosine of two pictures that show the same, 0.5 to 1");
    inner.finish();
  } else if (node->text != "all" && node->text != "fold") {
    reader.problem("repeats", format("repeats is all, fold or {{likeness: 0.98}}, not '{}'", node->text));
  }
  settings.fold_repeats = settings.repeat_likeness || node->text == "fold";
}

TaskSettings read_task(const YamlNode& node, std::vector<Problem>& problems) {
  SettingsReader reader(node, "a task", problems);
  TaskSettings settings;
  std::string name;
  if (!reader.read("task", name) && !reader.has("task") && node.kind == YamlNode::Kind::kMap) {
    reader.problem("task", "a task without 'task:'; say one of " + task_names());
  }
  settings.task = find_task(name);
  if (!name.empty() && settings.task == nullptr) {
    reader.problem("task", "unknown task '" + name + "'; known are " + task_names());
  }
  settings.name = name;
  if (reader.read("name", settings.name) && (!is_name(settings.name))) {
    reader.problem("name", "a name is 1 to 64 of a-z, 0-9, _ and -, not '" + settings.name + "'");
  }
  if (settings.name == "state" || settings.name == "rule") {
    reader.problem("name",
                   "the name '" + settings.name + "' is taken by Palisade's own topics; choose another");
  }
  reader.read("language", settings.wording.language);
  // The other keys of an unknown task cannot be checked.
  if (settings.task == nullptr) return settings;
  if (!settings.task->text_key.empty()) reader.read(settings.task->text_key, settings.wording.text);
  if (auto fault = wording_fault(*settings.task, settings.wording)) {
    const bool of_language = fault->starts_with("language");
    reader.problem(of_language ? "language" : settings.task->text_key, *std::move(fault));
  }
  settings.sampling = read_sampling(reader, *settings.task);
  read_answer(reader, settings, problems);
  read_when(reader, settings);
  read_prune_of(reader, settings);
  std::string adapter;
  if (reader.read("adapter", adapter)) settings.adapter = adapter;
  if (reader.has("adapter") && adapter.empty())
    reader.problem("adapter", "adapter is the folder of a LoRA beside the model; name it or remove the key");
  read_against(reader, settings, problems);
  settings.keep_frames = read_frame_storage(reader, "keep_frames");
  read_repeats(reader, settings, problems);
  // For a task on demand `every` is the greatest age of the frames that are asked about.
  if (settings.when == When::kDemand && !reader.has("every"))
    settings.sampling.stride = std::max(milliseconds(500), settings.sampling.span / 8);
  reader.finish();
  return settings;
}

void read_tasks(SettingsReader& reader, StreamSettings& stream, std::vector<Problem>& problems) {
  const std::vector<YamlNode>* const tasks = reader.list("tasks");
  if (tasks == nullptr) {
    if (!reader.has("tasks"))
      reader.problem("tasks", "a stream without tasks; add 'tasks: [{task: caption}]'");
    return;
  }
  if (tasks->empty() || tasks->size() > kMaxTasks) {
    reader.problem("tasks", format("a stream has 1 to {} tasks", kMaxTasks));
    return;
  }
  std::set<std::string> names;
  for (const YamlNode& node : *tasks) {
    TaskSettings task = read_task(node, problems);
    if (!task.name.empty() && !names.insert(task.name).second) {
      problems.push_back(
          {node.place,
           "a second task '" + task.name +
               "' on this stream, on the same topic; give it a name of its own: name: " + task.name + "_2"});
    }
    stream.tasks.push_back(std::move(task));
  }
}

// The first line of a secret file; empty where that is a problem.
std::string secret_in(SettingsReader& reader, const char* key, const std::string& file) {
  try {
    return read_secret_file(file);
  } catch (const Error& error) {
    reader.problem(key, error.what());
    return {};
  }
}

void read_password(SettingsReader& reader, SourceOptions& source) {
  std::string file;
  const bool has_file = reader.read("password_file", file);
  const bool has_password = reader.read("password", source.password);
  if (has_file && has_password) reader.problem("password", "password and password_file; give one of them");
  if ((has_file || has_password) && !reader.has("username")) {
    reader.problem(has_file ? "password_file" : "password", "a password without username; add username");
  }
  if (has_file) source.password = secret_in(reader, "password_file", file);
  if (source.password.size() > kMaxPassword)
    reader.problem(has_file ? "password_file" : "password", "a password is at most 4096 characters");
  hide_secret(source.password);
}

void read_url(SettingsReader& reader, SourceOptions& source) {
  std::string file;
  const bool has_url = reader.read("url", source.url), has_file = reader.read("url_file", file);
  if (!has_url && !has_file && !reader.has("url") && !reader.has("url_file")) {
    reader.problem("url",
                   "a stream without url; give a file, a folder of pictures, http(s)://, rtsp(s)://, v4l2:, "
                   "street: or gst: line");
  }
  if (has_url && has_file) reader.problem("url_file", "url and url_file; give one of them");
  if (has_file && !has_url) source.url = secret_in(reader, "url_file", file);
  if (has_url && source.url.empty()) reader.problem("url", "url is empty");
  if (source.url.find_first_of("\r\n\t") != std::string::npos)
    reader.problem(has_file ? "url_file" : "url", "url holds a line break");
  hide_secrets_of(source.url);
}

void check_rtsp_address(SettingsReader& reader, const SourceOptions& source) {
  const std::string scheme = scheme_of(source.url);
  if (scheme != "rtsp" && scheme != "rtsps") return;
  try {
    rtsp_address(source);
  } catch (const SourceError& error) {
    reader.problem("url", error.what());
  }
}

void read_source(SettingsReader& reader, StreamSettings& stream) {
  SourceOptions& source = stream.source;
  // The configuration's owner may run any GStreamer pipeline.
  source.allow_launch = true;
  read_url(reader, source);
  if (source.url == kStreetUrl) {
    const auto film = street_film();
    source.url += film ? film->string() : "street.mp4";
    stream.loop = true;
    if (!film)
      reader.problem("url", "the simulated street, street.mp4, is not where the program was installed");
  }
  if (const std::string scheme = scheme_of(source.url); !is_read(scheme)) {
    reader.problem("url", scheme +
                              ": addresses are not read; give a file, a folder of pictures, http(s)://, "
                              "rtsp(s)://, v4l2: or gst: line");
  }
  reader.read("username", source.username);
  read_password(reader, source);
  read_trust(reader, source);
  check_rtsp_address(reader, source);
  std::string transport = "auto";
  reader.read("transport", transport);
  if (transport != "auto" && transport != "tcp" && transport != "udp") {
    reader.problem("transport", "transport is auto, tcp or udp, not '" + transport + "'");
  }
  source.transport = transport == "udp"   ? RtspTransport::kUdp
                     : transport == "tcp" ? RtspTransport::kTcp
                                          : RtspTransport::kAuto;
  reader.read("open_timeout", source.open_timeout, milliseconds(100));
  reader.read("stall_timeout", source.stall_timeout, milliseconds(100));
  reader.read("keyframe_timeout", source.keyframe_timeout, milliseconds(100));
  reader.read("pace", stream.pace);
  reader.read("loop", stream.loop);
  reader.read("process", stream.process);
  reader.read("process_memory_mb", stream.process_memory_mb, kMinProcessMemoryMb, 1 << 20);
  if (reader.has("process_memory_mb") && !stream.process)
    reader.problem("process_memory_mb", "process_memory_mb without a process; remove it or process: false");
  for (const char* const key : {"pace", "loop"}) {
    if (reader.has(key) && !names_file(source.url)) {
      reader.problem(key, std::string(key) + " is for files; remove it from this stream");
    }
  }
}

void read_priority(SettingsReader& reader, StreamSettings& stream) {
  std::string priority = "normal";
  reader.read("priority", priority);
  if (priority != "low" && priority != "normal" && priority != "high")
    reader.problem("priority", "priority is low, normal or high, not '" + priority + "'");
  stream.priority = priority == "high" ? 4 : priority == "low" ? 1 : 2;
}

}  // namespace

StreamSettings read_stream(const YamlNode& node, std::vector<Problem>& problems) {
  SettingsReader reader(node, "a stream", problems);
  StreamSettings stream;
  if (node.kind != YamlNode::Kind::kMap) return stream;
  if (!reader.read("name", stream.name) && !reader.has("name")) {
    reader.problem("name", "a stream without name; add 'name: front_door'");
  } else if (!is_name(stream.name)) {
    reader.problem("name", "a stream's name is 1 to 64 of a-z, 0-9, _ and -, not '" + stream.name + "'");
  } else if (stream.name == "service") {
    reader.problem("name", "the name 'service' is taken by Palisade's own topics; choose another");
  }
  read_source(reader, stream);
  read_priority(reader, stream);
  reader.read("degrade", stream.degrade);
  reader.read("paused", stream.paused);
  stream.masks = read_polygons(reader, "masks");
  if (const YamlNode* const gate = reader.find("gate")) stream.gate = read_gate(*gate, problems);
  read_tasks(reader, stream, problems);
  read_decoding(reader, stream);
  reader.find("rules");  // read once all streams are known (settings_rules.h)
  reader.finish();
  return stream;
}

}  // namespace palisade
