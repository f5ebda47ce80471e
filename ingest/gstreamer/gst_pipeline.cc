#include "ingest/gstreamer/gst_pipeline.h"

#include <algorithm>
#include <mutex>
#include <string_view>
#include <utility>

#include "base/format.h"
#include "base/redaction.h"
#include "ingest/ffmpeg/ffmpeg_log.h"
#include "ingest/gstreamer/gst_camera.h"
#include "ingest/gstreamer/gst_picture.h"
#include "ingest/gstreamer/gst_rtsp_extension.h"
#include "ingest/gstreamer/gst_source.h"
#include "ingest/rtsp/rtsp_faults.h"
#include "ingest/source/pause.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr GstClockTime kSlice = 40 * GST_MSECOND;
// Status codes of RTSP.
constexpr int kUnsupportedTransport = 461;
constexpr int kServiceUnavailable = 503;

// rtspsrc has no error code for a server that refuses all transports, only this text.
bool names_no_transport(const GError& error) {
  return std::string_view(error.message).find("transport protocols") != std::string_view::npos;
}

bool lacks_decoder(const GError& error) {
  return (error.domain == GST_CORE_ERROR && error.code == GST_CORE_ERROR_MISSING_PLUGIN) ||
         (error.domain == GST_STREAM_ERROR && error.code == GST_STREAM_ERROR_CODEC_NOT_FOUND);
}

constexpr milliseconds kBusy{800};
constexpr milliseconds kProbing{2'000};
constexpr milliseconds kLastProbing{300};  // for finding the cause once the timeout has passed
constexpr GstClockTime kCauseComes = 100 * GST_MSECOND;
constexpr const char* kSinkName = "palisade";
constexpr const char* kSink = " ! videoconvert ! appsink name=palisade max-buffers=4";
// Properties of the sink. A pipeline of the user's must not be held up, so pictures that are not fetched in
// time are dropped. A camera's pictures are fetched as soon as they are decoded, even if many come at once.
constexpr const char* kOfALine = " drop=true";
constexpr const char* kOfACamera = " sync=false";

// GStreamer's own JPEG decoder discards half the colour of 4:2:2 and 4:4:4 pictures. FFmpeg's decoder, which
// the other reader uses too, is preferred.
void prefer_whole_colours() {
  const Gst<GstPluginFeature> decoder(
      gst_registry_find_feature(gst_registry_get(), "jpegdec", GST_TYPE_ELEMENT_FACTORY));
  if (decoder != nullptr) gst_plugin_feature_set_rank(decoder.get(), GST_RANK_MARGINAL - 1);
}

}  // namespace

void start_gstreamer() {
  static std::once_flag once;
  std::call_once(once, [] {
    GError* raw = nullptr;
    if (gst_init_check(nullptr, nullptr, &raw)) {
      // GStreamer's FFmpeg decoders replace FFmpeg's log callback when they are loaded. So they are loaded
      // now, and the callback is set again before any FFmpeg source needs it.
      const Gst<GstPlugin> decoders(gst_plugin_load_by_name("libav"));
      quiet_ffmpeg();
      prefer_whole_colours();
      register_rtsp_extension();
      return;
    }
    const Gst<GError> error(raw);
    throw SourceError(SourceFault::kRefused, std::string("GStreamer does not start: ") +
                                                 (error != nullptr ? error->message : "unknown reason"));
  });
}

GstPipeline::GstPipeline(const SourceOptions& options, std::stop_token stop)
    : options_(options),
      stop_(std::move(stop)),
      camera_((start_gstreamer(), options)),
      watch_(options.max_pixels, options.decode == Decode::kKeyframes) {
  const bool either = GstCamera::is_camera(options) && options.transport == RtspTransport::kAuto;
  try {
    open(either ? RtspTransport::kTcp : options.transport);
  } catch (const SourceError&) {
    if (!either || !refuses_transport()) throw;
    open_over_udp();
  }
}

bool GstPipeline::refuses_transport() const {
  return no_transport_ || (camera_.is_rtsp() && camera_.answer().status == kUnsupportedTransport);
}

// Tries again for a moment, because a camera may still be busy with the session that it has just refused.
void GstPipeline::open_over_udp() {
  Pause pause(stop_);
  for (milliseconds wait(50);; wait *= 2) {
    try {
      return open(RtspTransport::kUdp);
    } catch (const SourceError&) {
      if (camera_.answer().status != kServiceUnavailable || wait > kBusy) throw;
    }
    pause.until(steady_clock::now() + wait);
    check_stop();
  }
}

void GstPipeline::open(RtspTransport transport) {
  while (true) {
    try {
      return open_at(transport);
    } catch (const SourceError&) {
      if (!follows_redirect()) throw;
    }
  }
}

void GstPipeline::open_at(RtspTransport transport) {
  opened_ = steady_clock::now();
  no_transport_ = false;
  parse(transport);
  orientation_.attach(*pipeline_, *sink_);  // before watch_, which may withhold packets that this needs
  watch_.attach(*pipeline_);
  play();
  if (GstCamera::is_camera(options_)) await_camera();
}

void GstPipeline::fail(SourceFault fault, const std::string& why) const {
  const std::string text = redact_text(redact_url("gst:" + why).substr(4), options_.password);
  throw SourceError(fault, redact_text(redact_url(options_.url), options_.password) + ": " + text);
}

void GstPipeline::parse(RtspTransport transport) {
  const bool camera = GstCamera::is_camera(options_);
  std::string line = camera ? GstCamera::line(options_) : options_.url.substr(options_.url.find(':') + 1);
  if (line.find("name=palisade") == std::string::npos)
    line += kSink + std::string(camera ? kOfACamera : kOfALine);
  GError* raw = nullptr;
  pipeline_.reset(camera_.parse(line, &raw));
  const Gst<GError> error(raw);
  if (error != nullptr || pipeline_ == nullptr) {
    fail(SourceFault::kUnreadable, error != nullptr ? error->message : "not a pipeline");
  }
  if (GST_IS_BIN(pipeline_.get())) sink_.reset(gst_bin_get_by_name(GST_BIN(pipeline_.get()), kSinkName));
  if (sink_ == nullptr || !GST_IS_APP_SINK(sink_.get())) {
    fail(SourceFault::kUnreadable, "has no appsink of the name \"palisade\"");
  }
  const Gst<GstCaps> caps = GstPicture::caps();
  gst_app_sink_set_caps(GST_APP_SINK(sink_.get()), caps.get());
  bus_.reset(gst_element_get_bus(pipeline_.get()));
  if (camera) camera_.set_up(*pipeline_, options_, transport);
}

bool GstPipeline::follows_redirect() {
  const RtspAnswer answer = camera_.is_rtsp() ? camera_.answer() : RtspAnswer{};
  if (!answer.redirects() || answer.location.empty() || stop_.stop_requested()) return false;
  camera_.follow(answer.location);
  return true;
}

void GstPipeline::play() {
  const auto deadline = steady_clock::now() + options_.open_timeout;
  GstStateChangeReturn change = gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  while (change == GST_STATE_CHANGE_ASYNC) {
    check_stop();
    check_bus();
    if (watch_.packets() > 0) return;  // pull() waits for a keyframe
    if (steady_clock::now() >= deadline) fail_unanswered();
    change = gst_element_get_state(pipeline_.get(), nullptr, nullptr, kSlice);
  }
  check_bus();
  if (change == GST_STATE_CHANGE_FAILURE) fail_with(nullptr);
}

// A live pipeline is playing even before its camera has answered, so the first picture or error is waited
// for.
void GstPipeline::await_camera() {
  const auto deadline = steady_clock::now() + options_.open_timeout;
  while (first_ == nullptr && watch_.packets() == 0) {
    check_stop();
    check_bus();
    if (steady_clock::now() >= deadline) fail_unanswered();
    first_.reset(gst_app_sink_try_pull_sample(GST_APP_SINK(sink_.get()), kSlice));
    if (first_ == nullptr && gst_app_sink_is_eos(GST_APP_SINK(sink_.get()))) break;  // pull() reports the end
  }
}

void GstPipeline::fail_unanswered() const {
  const std::string shown = redact_text(redact_url(options_.url), options_.password);
  if (const auto known = camera_.fault(shown, kLastProbing, stop_)) throw *known;
  throw no_answer(shown, options_.open_timeout);
}

void GstPipeline::check_stop() const {
  if (stop_.stop_requested()) fail(SourceFault::kInterrupted, "stopped");
}

SourceFault GstPipeline::fault_of(const GError& error) const {
  if (error.domain == GST_RESOURCE_ERROR) {
    const bool denied = error.code == GST_RESOURCE_ERROR_NOT_AUTHORIZED;
    return denied ? SourceFault::kAuthFailed : SourceFault::kUnreachable;
  }
  // A stream that could be read until now is worth opening again.
  return any_ ? SourceFault::kUnreachable : SourceFault::kUnreadable;
}

void GstPipeline::check_bus() {
  if (watch_.too_large()) {
    fail(SourceFault::kUnreadable,
         format("its picture is over the limit of {} pixels: use a smaller stream", options_.max_pixels));
  }
  if (camera_.unknown_encoding()) {
    throw SourceError(SourceFault::kUnreadable, redact_text(redact_url(options_.url), options_.password) +
                                                    unknown_encoding_text(camera_.encoding()));
  }
  if (const Gst<GError> error = next_error(0)) fail_with(error.get());
}

Gst<GError> GstPipeline::next_error(GstClockTime patience) const {
  const Gst<GstMessage> message(gst_bus_timed_pop_filtered(bus_.get(), patience, GST_MESSAGE_ERROR));
  GError* error = nullptr;
  if (message != nullptr) gst_message_parse_error(message.get(), &error, nullptr);
  return Gst<GError>(error);
}

// Elements behind the source may report an error before the source reports the cause, so that is waited for.
void GstPipeline::fail_with(const GError* first) {
  Gst<GError> error(first != nullptr ? g_error_copy(first) : nullptr);
  while (error == nullptr || error->domain != GST_RESOURCE_ERROR) {
    Gst<GError> another = next_error(kCauseComes);
    if (another == nullptr) break;
    if (error == nullptr || another->domain == GST_RESOURCE_ERROR) error = std::move(another);
  }
  if (camera_.without_video()) fail(SourceFault::kUnreadable, "has no video");
  const std::string shown = redact_text(redact_url(options_.url), options_.password);
  if (!any_) {
    if (const auto known = camera_.fault(shown, kProbing, stop_)) throw *known;
  }
  no_transport_ = error != nullptr && names_no_transport(*error);
  if (!any_ && camera_.is_rtsp() && error != nullptr && lacks_decoder(*error) && !no_transport_)
    throw SourceError(SourceFault::kUnreadable, shown + unknown_encoding_text(camera_.encoding()));
  if (error == nullptr) fail(SourceFault::kUnreachable, "the pipeline does not start");
  const SourceFault fault = fault_of(*error);
  const std::string told(error->message);
  if (camera_.is_rtsp() && any_) fail(fault, "the connection was lost: " + told);
  if (camera_.is_rtsp())
    fail(fault, "broke off while it was opened: " + told + ": is this the address of a video stream?");
  fail(fault, told + (fault == SourceFault::kAuthFailed ? ": check its user name and password" : ""));
}

// Before the first keyframe, and if only keyframes are decoded, packets show that the stream has not stalled.
void GstPipeline::check_stall(MonotonicTime since) const {
  const auto now = steady_clock::now();
  const bool keyframes = options_.decode == Decode::kKeyframes;
  const bool packets_count = keyframes || (!any_ && watch_.packets() > 0);
  const bool silent =
      now >= (packets_count ? std::max(since, watch_.last_packet()) : since) + options_.stall_timeout;
  if (!any_ && watch_.packets() > 0 && (silent || now >= opened_ + options_.keyframe_timeout)) {
    const auto patience = silent ? options_.stall_timeout : options_.keyframe_timeout;
    fail(SourceFault::kStalled, no_keyframe_text(format("{} ms", patience.count())));
  }
  if (silent) {
    fail(SourceFault::kStalled, format("no frame for {} ms", options_.stall_timeout.count()));
  }
  const auto patience = kKeyframeStalls * options_.stall_timeout;
  if (!keyframes || now < std::max(since, watch_.last_keyframe()) + patience) return;
  fail(SourceFault::kUnreadable,
       format("sends pictures, but no keyframe for {} ms: let it send some, or set decode: all",
              patience.count()));
}

nanoseconds GstPipeline::age_of(GstSample& sample) const {
  const GstBuffer* const buffer = gst_sample_get_buffer(&sample);
  const GstClockTime taken =
      gst_segment_to_running_time(gst_sample_get_segment(&sample), GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  GstClock* const clock = gst_element_get_clock(pipeline_.get());
  if (clock == nullptr) return nanoseconds(0);
  const GstClockTime running = gst_clock_get_time(clock) - gst_element_get_base_time(pipeline_.get());
  gst_object_unref(clock);
  if (!GST_CLOCK_TIME_IS_VALID(taken) || taken > running) return nanoseconds(0);
  return nanoseconds(running - taken);
}

Gst<GstSample> GstPipeline::pull() {
  GstAppSink* const sink = GST_APP_SINK(sink_.get());
  const auto since = steady_clock::now();
  Gst<GstSample> sample = std::move(first_);
  while (sample == nullptr) {
    check_stop();
    sample.reset(gst_app_sink_try_pull_sample(sink, kSlice));
    if (sample != nullptr) break;
    check_bus();
    if (gst_app_sink_is_eos(sink)) {
      check_bus();  // the cause may have been reported just now
      if (!any_ && !GstCamera::is_camera(options_))
        fail(SourceFault::kUnreadable, "no frame of it can be decoded");
      return nullptr;
    }
    check_stall(since);
  }
  any_ = true;
  return sample;
}

}  // namespace palisade
