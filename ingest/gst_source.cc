#include "ingest/gst_source.h"

#include <gst/video/video.h>

#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

#include "ingest/gst_pipeline.h"
#include "ingest/time_quality.h"
#include "ingest/timeline.h"
#include "ingest/url.h"

namespace palisade {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr nanoseconds kNtpEpoch = std::chrono::seconds(2'208'988'800);  // 1970 less 1900

// The sender's wall time, where the pipeline knows it: rtspsrc adds it with
// add-reference-timestamp-meta=true.
std::optional<WallTime> reference_time(GstBuffer& buffer, const char* kind, nanoseconds epoch) {
  const Gst<GstCaps> caps(gst_caps_new_empty_simple(kind));
  const GstReferenceTimestampMeta* meta = gst_buffer_get_reference_timestamp_meta(&buffer, caps.get());
  if (meta == nullptr) return std::nullopt;
  const WallTime time(std::chrono::floor<microseconds>(nanoseconds(meta->timestamp) - epoch));
  // A camera whose clock was never set is worse than our own.
  if (std::chrono::abs(time - wall_now()) > std::chrono::days(1)) return std::nullopt;
  return time;
}

class GstSource : public Source {
 public:
  GstSource(const SourceOptions& options, std::stop_token stop)
      : options_(options), pipeline_(options, std::move(stop)) {}

  std::optional<Frame> next(const Wanted& wanted) override {
    while (true) {
      const Gst<GstSample> sample = pipeline_.pull();
      if (sample == nullptr) return std::nullopt;
      GstBuffer* const buffer = gst_sample_get_buffer(sample.get());
      if (buffer == nullptr) continue;
      const FrameStamp stamp = stamp_of(*sample, *buffer);
      if (wanted(stamp)) return frame_of(*sample, *buffer, stamp);
    }
  }

  bool live() const override { return true; }
  std::string remark() const override {
    if (options_.hardware == Hardware::kNone || pipeline_.watch().hardware()) return {};
    return "decoded in software: GStreamer has no hardware decoder that takes this stream";
  }

 private:
  [[noreturn]] void fail(const char* why) const {
    throw SourceError(SourceFault::kUnreadable, redact_url(options_.url) + ": " + why);
  }

  FrameStamp stamp_of(GstSample& sample, GstBuffer& buffer) {
    FrameStamp stamp;
    stamp.number = frames_++;
    std::optional<MediaTime> own;
    if (GST_BUFFER_PTS_IS_VALID(&buffer)) own = MediaTime(std::int64_t(GST_BUFFER_PTS(&buffer)));
    const Timeline::Moment moment = timeline_.at(own, std::chrono::steady_clock::now());
    stamp.pts = moment.pts;
    stamp.jumped = moment.jumped;
    stamp.keyframe = pipeline_.watch().is_keyframe(GST_BUFFER_PTS(&buffer));
    stamp.corrupt = GST_BUFFER_FLAG_IS_SET(&buffer, GST_BUFFER_FLAG_CORRUPTED);
    auto wall = reference_time(buffer, "timestamp/x-ntp", kNtpEpoch);
    if (!wall) wall = reference_time(buffer, "timestamp/x-unix", nanoseconds(0));
    if (wall) {
      stamp.time_source = TimeSource::kRtcp;
      stamp.wall = *wall;
      stamp.time_uncertainty = report_quality_.uncertainty(stamp.pts, stamp.wall);
      return stamp;
    }
    stamp.time_source = TimeSource::kArrival;
    // Not the end of its way through the pipeline, which a slow decoder makes longer.
    const nanoseconds age = pipeline_.age_of(sample);
    stamp.wall = wall_now() - std::chrono::floor<microseconds>(age);
    stamp.time_uncertainty = arrival_quality_.uncertainty(
        stamp.pts, std::chrono::steady_clock::now() - std::chrono::floor<MonotonicTime::duration>(age));
    return stamp;
  }

  Frame frame_of(GstSample& sample, GstBuffer& buffer, const FrameStamp& stamp) const {
    GstVideoInfo info;
    if (!gst_video_info_from_caps(&info, gst_sample_get_caps(&sample))) fail("gives no raw pictures");
    const int width = GST_VIDEO_INFO_WIDTH(&info);
    const int height = GST_VIDEO_INFO_HEIGHT(&info);
    const bool fits = width > 0 && height > 0 && width <= kMaxSide && height <= kMaxSide &&
                      std::int64_t(width) * height <= options_.max_pixels;
    if (!fits) fail("its pictures are over the size limit");
    GstVideoFrame mapped;
    if (!gst_video_frame_map(&mapped, &info, &buffer, GST_MAP_READ)) fail("a picture cannot be read");
    // GStreamer pads rows to four bytes.
    const std::size_t row = std::size_t(width) * 3;
    std::vector<std::uint8_t> rgb(row * std::size_t(height));
    const auto* pixels = static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&mapped, 0));
    const std::ptrdiff_t stride = GST_VIDEO_FRAME_PLANE_STRIDE(&mapped, 0);
    for (int y = 0; y < height; ++y) {
      std::memcpy(rgb.data() + row * std::size_t(y), pixels + stride * y, row);
    }
    gst_video_frame_unmap(&mapped);
    return {stamp, "", width, height, Image(width, height, std::move(rgb))};
  }

  SourceOptions options_;
  GstPipeline pipeline_;
  Timeline timeline_{true, milliseconds(40)};
  std::uint64_t frames_ = 0;
  ArrivalQuality arrival_quality_;
  ReportQuality report_quality_;
};

}  // namespace

std::unique_ptr<Source> open_gst_source(const SourceOptions& options, std::stop_token stop) {
  return std::make_unique<GstSource>(options, std::move(stop));
}

}  // namespace palisade
