#include "ingest/ffmpeg/ffmpeg_container.h"

#include <cstring>
#include <vector>

#include "ingest/ffmpeg/ffmpeg_handles.h"
#include "ingest/ffmpeg/ffmpeg_whitelist.h"

extern "C" {
#include <libavutil/avstring.h>
}

namespace palisade {

std::optional<std::string> unopened_container(std::span<const std::byte> start) {
  std::vector<unsigned char> padded(start.size() + AVPROBE_PADDING_SIZE);
  if (!start.empty()) std::memcpy(padded.data(), start.data(), start.size());
  AVProbeData probe{};
  probe.filename = "";
  probe.buf = padded.data();
  probe.buf_size = int(start.size());
  int score = 0;
  const AVInputFormat* const format = av_probe_input_format3(&probe, 1, &score);
  if (format == nullptr || score <= AVPROBE_SCORE_RETRY) return std::nullopt;
  if (av_match_list(format->name, kContainers, ',') != 0) return std::nullopt;
  return format->long_name != nullptr ? format->long_name : format->name;
}

}  // namespace palisade
