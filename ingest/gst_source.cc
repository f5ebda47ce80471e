#include "ingest/gst_source.h"

#include <utility>

#include "ingest/gst_picture.h"
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
      try {
        picture_.see(*sample, options_.max_pixels);
        if (wanted(stamp)) return frame_of(*sample, stamp);
      } catch (const BadPicture& e) {
        throw SourceError(SourceFault::kUnreadable, redact_url(options_.url) + ": " + e.what());
      }
    }
  }

  bool live() const override { return true; }
  std::string remark() const override {
    if (options_.hardware == Hardware::kNone || pipeline_.watch().hardware()) return {};
    return "decoded in software: GStreamer has no hardware decoder that takes this stream";
  }

 private:
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

  Frame frame_of(GstSample& sample, const FrameStamp& stamp) {
    const Orientation orientation = pipeline_.orientation_of(*gst_sample_get_buffer(&sample));
    const Image image = upright(picture_.image_of(sample, options_.max_pixels), orientation);
    return {stamp, "", image.width(), image.height(), image};
  }

  SourceOptions options_;
  GstPipeline pipeline_;
  GstPicture picture_;
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
