#include "ingest/gst_pipeline.h"

#include <mutex>
#include <utility>

#include "ingest/url.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr GstClockTime kSlice = 40 * GST_MSECOND;
constexpr const char* kSinkName = "palisade";
constexpr const char* kSink =
    " ! videoconvert ! video/x-raw,format=RGB ! appsink name=palisade max-buffers=4";
// Of a line of the user's: pictures that nobody fetches in time are dropped, whatever makes them must not be
// held up. Those of a camera are fetched as they are decoded, and may come many at once.
constexpr const char* kOfALine = " drop=true";
constexpr const char* kOfACamera = " sync=false";

void start_gstreamer() {
  static std::once_flag once;
  std::call_once(once, [] {
    GError* raw = nullptr;
    if (gst_init_check(nullptr, nullptr, &raw)) return;
    const Gst<GError> error(raw);
    throw SourceError(SourceFault::kRefused, std::string("GStreamer does not start: ") +
                                                 (error != nullptr ? error->message : "unknown reason"));
  });
}

}  // namespace

GstPipeline::GstPipeline(const SourceOptions& options, std::stop_token stop)
    : options_(options), stop_(std::move(stop)), watch_(options.max_pixels) {
  start_gstreamer();
  parse();
  play();
}

void GstPipeline::fail(SourceFault fault, const std::string& why) const {
  const std::string text = redact_text(redact_url("gst:" + why).substr(4), options_.password);
  throw SourceError(fault, redact_text(redact_url(options_.url), options_.password) + ": " + text);
}

void GstPipeline::parse() {
  const bool given = scheme_of(options_.url) == "gst";
  std::string line = given ? options_.url.substr(options_.url.find(':') + 1) : GstCamera::kLine;
  if (line.find("name=palisade") == std::string::npos)
    line += kSink + std::string(given ? kOfALine : kOfACamera);
  GError* raw = nullptr;
  pipeline_.reset(gst_parse_launch_full(line.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &raw));
  const Gst<GError> error(raw);
  if (error != nullptr || pipeline_ == nullptr) {
    fail(SourceFault::kUnreadable, error != nullptr ? error->message : "not a pipeline");
  }
  if (GST_IS_BIN(pipeline_.get())) sink_.reset(gst_bin_get_by_name(GST_BIN(pipeline_.get()), kSinkName));
  if (sink_ == nullptr || !GST_IS_APP_SINK(sink_.get())) {
    fail(SourceFault::kUnreadable, "has no appsink of the name \"palisade\"");
  }
  const Gst<GstCaps> caps(gst_caps_from_string("video/x-raw,format=RGB"));
  gst_app_sink_set_caps(GST_APP_SINK(sink_.get()), caps.get());
  bus_.reset(gst_element_get_bus(pipeline_.get()));
  if (!given) camera_.set_up(*pipeline_, options_);
  watch_.attach(*pipeline_);
}

void GstPipeline::play() {
  const auto deadline = steady_clock::now() + options_.open_timeout;
  GstStateChangeReturn change = gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  while (change == GST_STATE_CHANGE_ASYNC) {
    check_stop();
    check_bus();
    if (watch_.packets() > 0) return;  // pull() waits for a key frame
    if (steady_clock::now() >= deadline) {
      fail(SourceFault::kUnreachable, "no picture within " + std::to_string(options_.open_timeout.count()) +
                                          " ms of starting: is the camera on?");
    }
    change = gst_element_get_state(pipeline_.get(), nullptr, nullptr, kSlice);
  }
  check_bus();
  if (change == GST_STATE_CHANGE_FAILURE) fail(SourceFault::kUnreachable, "the pipeline does not start");
}

void GstPipeline::check_stop() const {
  if (stop_.stop_requested()) fail(SourceFault::kInterrupted, "stopped");
}

SourceFault GstPipeline::fault_of(const GError& error) const {
  if (error.domain == GST_RESOURCE_ERROR) {
    const bool denied = error.code == GST_RESOURCE_ERROR_NOT_AUTHORIZED;
    return denied ? SourceFault::kAuthFailed : SourceFault::kUnreachable;
  }
  // What could be read so far can be again: opened anew.
  return any_ ? SourceFault::kUnreachable : SourceFault::kUnreadable;
}

void GstPipeline::check_bus() const {
  if (watch_.too_large()) {
    fail(SourceFault::kUnreadable, "its picture is over the limit of " + std::to_string(options_.max_pixels) +
                                       " pixels: use a smaller stream");
  }
  const Gst<GstMessage> message(gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ERROR));
  if (message == nullptr) return;
  if (camera_.without_video()) fail(SourceFault::kUnreadable, "has no video");
  GError* raw = nullptr;
  gst_message_parse_error(message.get(), &raw, nullptr);
  const Gst<GError> error(raw);
  const SourceFault fault = fault_of(*error);
  fail(fault, std::string(error->message) +
                  (fault == SourceFault::kAuthFailed ? ": check its user name and password" : ""));
}

void GstPipeline::fail_as_stalled(milliseconds patience) const {
  const std::string time = std::to_string(patience.count()) + " ms";
  if (any_ || watch_.packets() == 0) fail(SourceFault::kStalled, "no frame for " + time);
  fail(SourceFault::kStalled, no_keyframe_text(time));
}

Gst<GstSample> GstPipeline::pull() {
  GstAppSink* const sink = GST_APP_SINK(sink_.get());
  auto since = steady_clock::now();
  std::uint64_t packets = watch_.packets();
  while (true) {
    check_stop();
    Gst<GstSample> sample(gst_app_sink_try_pull_sample(sink, kSlice));
    if (sample != nullptr) {
      any_ = true;
      return sample;
    }
    check_bus();
    if (gst_app_sink_is_eos(sink)) {
      check_bus();  // which may have been told why just now
      if (!any_ && scheme_of(options_.url) == "gst")
        fail(SourceFault::kUnreadable, "no frame of it can be decoded");
      return nullptr;
    }
    const auto now = steady_clock::now();
    // Until the first picture a camera that sends something is alive: it may have few key frames.
    if (!any_ && std::exchange(packets, watch_.packets()) != packets) {
      since = now;
      if (now - opened_ >= options_.keyframe_timeout) fail_as_stalled(options_.keyframe_timeout);
    }
    if (now - since >= options_.stall_timeout) fail_as_stalled(options_.stall_timeout);
  }
}

}  // namespace palisade
