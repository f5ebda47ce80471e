#include "ingest/gstreamer/gst_source.h"

#include <utility>

#include "ingest/gstreamer/gst_picture.h"
#include "ingest/gstreamer/gst_pipeline.h"
#include "ingest/source/time_quality.h"
#include "ingest/source/timeline.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// Times further away are ignored, so that calculating with them cannot overflow.
constexpr microseconds kMaxAway = std::chrono::hours(24 * 365 * 150);
constexpr nanoseconds kNtpEpoch = std::chrono::seconds(2'208'988'800);  // from 1900 to 1970

std::optional<WallTime> plausible(nanoseconds since_1970) {
  const WallTime time(std::chrono::floor<microseconds>(since_1970));
  if (std::chrono::abs(time - wall_now()) > kMaxAway) return std::nullopt;
  return time;
}

// The sender's wall time, if the buffer has it as reference timestamp metadata.
std::optional<WallTime> reference_time(GstBuffer& buffer, const char* kind, nanoseconds epoch) {
  const Gst<GstCaps> caps(gst_caps_new_empty_simple(kind));
  const GstReferenceTimestampMeta* meta = gst_buffer_get_reference_timestamp_meta(&buffer, caps.get());
  if (meta == nullptr) return std::nullopt;
  return plausible(nanoseconds(std::int64_t(meta->timestamp)) - epoch);
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
  Intake intake() const override { return pipeline_.watch().intake(); }
  std::optional<milliseconds> clock_error() const override { return live_times_.error(); }
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
    // The arrival is when the picture entered the pipeline, because a slow decoder delays its end.
    const nanoseconds age = age_of(sample);
    live_times_.set(stamp, sent_at(buffer), wall_now() - std::chrono::floor<microseconds>(age),
                    std::chrono::steady_clock::now() - std::chrono::floor<MonotonicTime::duration>(age));
    return stamp;
  }

  std::optional<WallTime> sent_at(GstBuffer& buffer) {
    const auto reported = pipeline_.watch().reports().sent_less_pts();
    if (reported && GST_BUFFER_PTS_IS_VALID(&buffer))
      return plausible(*reported + nanoseconds(std::int64_t(GST_BUFFER_PTS(&buffer))));
    // An element of the user's pipeline may have set it.
    auto sent = reference_time(buffer, "timestamp/x-ntp", kNtpEpoch);
    if (!sent) sent = reference_time(buffer, "timestamp/x-unix", nanoseconds(0));
    return sent;
  }

  // A network camera's pts follow the camera's clock, so only the delay relative to other pictures is known.
  nanoseconds age_of(GstSample& sample) {
    const nanoseconds age = pipeline_.age_of(sample);
    if (!scheme_of(options_.url).starts_with("rtsp")) return age;
    ages_.add(age, std::chrono::steady_clock::now());
    return age - *ages_.value();
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
  LiveTimes live_times_;
  RecentLeast ages_{std::chrono::seconds(10)};
};

}  // namespace

std::unique_ptr<Source> open_gst_source(const SourceOptions& options, std::stop_token stop) {
  return std::make_unique<GstSource>(options, std::move(stop));
}

}  // namespace palisade
