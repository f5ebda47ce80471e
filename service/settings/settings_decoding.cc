#include "service/settings/settings_decoding.h"

#include <filesystem>

#include "ingest/source/url.h"

namespace palisade {
namespace {

// Reads one of two words; true for the second.
bool read_choice(SettingsReader& reader, const std::string& key, const char* first, const char* second) {
  std::string word = first;
  reader.read(key, word);
  if (word != first && word != second) {
    reader.problem(key, key + " is " + first + " or " + second + ", not '" + word + "'");
  }
  return word == second;
}

void read_decode(SettingsReader& reader, StreamSettings& stream) {
  const bool keyframes = read_choice(reader, "decode", "all", "keyframes");
  if (reader.has("decode")) stream.source.decode = keyframes ? Decode::kKeyframes : Decode::kAll;
  if (!keyframes) return;
  for (TaskSettings& task : stream.tasks) {
    SamplingPolicy& policy = task.sampling.policy;
    if (policy == SamplingPolicy::kUniform) policy = SamplingPolicy::kKeyframes;
    if (policy == SamplingPolicy::kKeyframes) continue;
    reader.problem("decode", "policy: " + std::string(name_of(policy)) + " of the task " + task.name +
                                 " needs every frame; remove decode: keyframes or that policy");
  }
}

}  // namespace

void read_decoding(SettingsReader& reader, StreamSettings& stream) {
  SourceOptions& source = stream.source;
  const std::string scheme = scheme_of(source.url);
  if (read_choice(reader, "reader", "ffmpeg", "gstreamer")) source.reader = RtspReader::kGstreamer;
  if (reader.has("reader") && !scheme.starts_with("rtsp")) {
    reader.problem("reader", "reader is for rtsp:// and rtsps://; remove it from this stream");
  }
  if (read_choice(reader, "hardware", "none", "auto")) source.hardware = Hardware::kAuto;
  read_decode(reader, stream);
  reader.read("frame_interval", source.frame_interval, std::chrono::milliseconds(1));
  std::error_code error;
  if (reader.has("frame_interval") && names_file(source.url) &&
      std::filesystem::is_regular_file(path_of(source.url), error)) {
    reader.problem("frame_interval", "frame_interval is for folders of pictures; a video has its own times");
  } else if (reader.has("frame_interval") && !names_file(source.url)) {
    reader.problem("frame_interval", "frame_interval is for folders of pictures; remove it from this stream");
  }
}

}  // namespace palisade
