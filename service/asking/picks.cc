#include "service/asking/picks.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "base/log.h"
#include "frames/sampler.h"
#include "ingest/apart.h"
#include "ingest/open_source.h"
#include "ingest/pictures/picture.h"
#include "ingest/source/url.h"
#include "service/asking/batch.h"

namespace palisade {
namespace {

constexpr std::chrono::milliseconds kCameraSpan{4000};

WallTime changed_at(const std::string& path) {
  const auto changed = std::filesystem::last_write_time(path);
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::file_clock::to_sys(changed));
}

struct FrameList {
  std::vector<MediaTime> pts;
  std::vector<std::uint64_t> numbers;
};

// Reads the stamps of a file without converting a picture.
FrameList look_through(Source& source) {
  FrameList seen;
  source.next([&](const FrameStamp& stamp) {
    if (!stamp.corrupt && (seen.pts.empty() || stamp.pts >= seen.pts.back())) {
      seen.pts.push_back(stamp.pts);
      seen.numbers.push_back(stamp.number);
    }
    return false;
  });
  return seen;
}

std::optional<Clip> clip_of_camera(Source& source, const Sampling& sampling, const EngineModel& model,
                                   const std::string& stream, const std::stop_token& stop) {
  Sampler sampler(sampling);
  while (!stop.stop_requested()) {
    std::optional<Frame> frame = source.next([&](const FrameStamp& stamp) { return sampler.wants(stamp); });
    // Where a camera pauses before a window is complete, its frames so far.
    if (std::optional<Clip> clip = sampler.take_ended()) return clip;
    if (!frame) return sampler.finish();
    auto clips = sampler.offer(fitted(*std::move(frame), stream, model));
    if (!clips.empty()) return std::move(clips.front());
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::size_t> evenly_spread(std::span<const MediaTime> pts, int count, MediaTime end) {
  std::vector<std::size_t> picks;
  for (int i = 0; i < count && !pts.empty(); ++i) {
    const MediaTime target = count < 2 ? pts.front() : pts.front() + (end - pts.front()) * i / (count - 1);
    auto after = std::ranges::lower_bound(pts, target);
    if (after == pts.end()) --after;
    const bool before_is_nearer = after != pts.begin() && target - *std::prev(after) <= *after - target;
    picks.push_back(std::size_t((before_is_nearer ? std::prev(after) : after) - pts.begin()));
  }
  return picks;
}

Clip clip_of_pictures(std::span<const std::string> paths, const EngineModel& model) {
  Clip clip;
  clip.sampling = {.count = int(paths.size()), .span = std::chrono::milliseconds(0)};
  for (const std::string& path : paths) {
    Frame frame;
    frame.image = read_picture(path);
    frame.source_width = frame.image.width();
    frame.source_height = frame.image.height();
    frame.stamp.number = clip.frames.size();
    frame.stamp.wall = changed_at(path);
    frame.stamp.time_source = TimeSource::kFile;
    clip.frames.push_back(fitted(std::move(frame), stream_name_of(path), model));
  }
  return clip;
}

std::optional<Clip> clip_of_video(const SourceOptions& options, int count,
                                  std::optional<std::chrono::milliseconds> span, const EngineModel& model,
                                  std::stop_token stop) {
  const std::string stream = stream_name_of(options.url);
  Sampling sampling{.count = count, .span = span.value_or(kCameraSpan)};
  auto source = open_apart(open_source, decoding_for({&sampling, 1}, options), stop);
  // A single picture of a server is asked about alone, unless a span was given.
  if (source->stills() && !span) sampling = {.count = 1, .span = std::chrono::milliseconds(0)};
  if (source->live()) return clip_of_camera(*source, sampling, model, stream, stop);
  const FrameList seen = look_through(*source);
  if (stop.stop_requested()) return std::nullopt;
  if (seen.pts.empty()) {
    throw SourceError(SourceFault::kUnreadable,
                      redact_url(options.url) + ": holds no picture that can be read");
  }
  const MediaTime last = seen.pts.back();
  const MediaTime end = span ? std::min<MediaTime>(seen.pts.front() + *span, last) : last;
  const auto picks = evenly_spread(seen.pts, count, end);
  source = open_apart(open_source, options, stop);
  Clip clip;
  std::optional<Frame> last_picked;
  SkippedPictures skipped;
  sampling.span = std::chrono::round<std::chrono::milliseconds>(end - seen.pts.front());
  clip.sampling = sampling;
  for (std::size_t next = 0; next < picks.size();) {
    const std::uint64_t number = seen.numbers[picks[next]];
    auto frame = source->next([&](const FrameStamp& stamp) { return stamp.number >= number; });
    if (frame) last_picked = fitted(*std::move(frame), stream, model);
    skipped.add(source->take_skipped());
    const bool shortened = !frame && skipped.pictures > 0 && last_picked;
    if (!frame && !shortened)
      throw SourceError(SourceFault::kUnreadable, redact_url(options.url) + ": changed while it was read");
    // A video of fewer frames repeats some, and so does a folder with skipped pictures, which are known only
    // after reading.
    for (; next < picks.size() && (shortened || seen.numbers[picks[next]] <= last_picked->stamp.number);
         ++next)
      clip.frames.push_back(*last_picked);
  }
  if (skipped.pictures > 0) log_warning(skipped.text());
  tell_remark(*source);
  return clip;
}

bool is_picture_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  std::ifstream file(path, std::ios::binary);
  std::array<char, 32> start{};
  file.read(start.data(), start.size());
  if (file.bad()) throw PictureError(path + ": cannot be read: the system reports an error");
  return looks_like_picture(std::as_bytes(std::span(start.data(), std::size_t(file.gcount()))));
}

std::string stream_name_of(std::string_view path_or_url) {
  std::string_view path = path_or_url;
  const std::string scheme = scheme_of(path_or_url);
  const std::string other = scheme.empty() ? "stream" : scheme;
  if (scheme == "gst") return other;
  if (!scheme.empty() && scheme != "file") {
    // Only the path may be used. A password may hold a '/', so nothing is used where there is an '@'.
    path = path.substr(0, path.find_first_of("?#"));
    const std::size_t host = path.find("://");
    if (path.find('@') != std::string_view::npos || host == std::string_view::npos) return other;
    const std::size_t slash = path.find('/', host + 3);
    if (slash == std::string_view::npos) return other;
    path = path.substr(slash);
  }
  std::string name = std::filesystem::path(path).stem().string().substr(0, 64);
  for (char& c : name) {
    c = char(std::tolower(static_cast<unsigned char>(c)));
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!allowed) c = '_';
  }
  return name.empty() ? other : name;
}

}  // namespace palisade
