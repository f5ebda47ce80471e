#include "ingest/gst_camera.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "ingest/url.h"

namespace palisade {
namespace {

constexpr const char* kName = "camera";
constexpr guint kJitterBufferMs = 200;  // waits so long for a datagram that is missing
// Media time as the camera tells it: every other mode bends it to when packets arrive.
constexpr guint kTimestampsOnly = 0;

bool is_v4l2(const SourceOptions& options) {
  return scheme_of(options.url) == "v4l2";
}

std::string device_of(const SourceOptions& options) {
  return options.url.substr(options.url.find(':') + 1);
}

// Anything else would be opened by GStreamer too, and read, or waited for, without end.
void check_device(const SourceOptions& options) {
  const std::string path = device_of(options);
  struct stat status {};
  if (!path.empty() && ::stat(path.c_str(), &status) != 0) {
    throw SourceError(SourceFault::kUnreachable,
                      options.url + ": " + std::strerror(errno) + ": is the camera plugged in?");
  }
  if (path.empty() || !S_ISCHR(status.st_mode)) {
    throw SourceError(SourceFault::kUnreadable, options.url + ": not a device: write v4l2:/dev/video0");
  }
}

}  // namespace

bool GstCamera::is_camera(const SourceOptions& options) {
  return scheme_of(options.url) != "gst";
}

std::string GstCamera::line(const SourceOptions& options) {
  const std::string decoder =
      options.hardware == Hardware::kNone ? " ! decodebin force-sw-decoders=true" : " ! decodebin";
  if (!is_v4l2(options)) {
    return std::string("rtspsrc name=") + kName + " ! application/x-rtp,media=video" + decoder;
  }
  check_device(options);
  return std::string("v4l2src name=") + kName + decoder;
}

void GstCamera::set_up(GstElement& pipeline, const SourceOptions& options, RtspTransport transport) {
  offers_ = has_video_ = false;
  const Gst<GstElement> camera(gst_bin_get_by_name(GST_BIN(&pipeline), kName));
  if (is_v4l2(options)) {
    g_object_set(camera.get(), "device", device_of(options).c_str(), nullptr);
    return;
  }
  const auto patience = guint64(std::chrono::microseconds(options.open_timeout).count());
  g_object_set(camera.get(), "location", options.url.c_str(), "latency", kJitterBufferMs, "tcp-timeout",
               patience, "timeout", guint64(0), "buffer-mode", kTimestampsOnly,
               "add-reference-timestamp-meta", TRUE, nullptr);
  if (!options.username.empty()) g_object_set(camera.get(), "user-id", options.username.c_str(), nullptr);
  if (!options.password.empty()) g_object_set(camera.get(), "user-pw", options.password.c_str(), nullptr);
  gst_util_set_object_arg(G_OBJECT(camera.get()), "protocols",
                          transport == RtspTransport::kUdp ? "udp" : "tcp");
  // Cameras have certificates of their own making.
  gst_util_set_object_arg(G_OBJECT(camera.get()), "tls-validation-flags", "0");
  g_signal_connect(camera.get(), "select-stream", G_CALLBACK(on_stream), this);
}

// The first video and nothing else is asked for.
gboolean GstCamera::on_stream(GstElement*, guint, GstCaps* caps, gpointer self) {
  auto& camera = *static_cast<GstCamera*>(self);
  camera.offers_ = true;
  const gchar* const media = gst_structure_get_string(gst_caps_get_structure(caps, 0), "media");
  if (media == nullptr || std::string_view(media) != "video") return FALSE;
  return camera.has_video_.exchange(true) ? FALSE : TRUE;
}

std::string GstCamera::reached_address(GstElement& pipeline) {
  const Gst<GstElement> camera(gst_bin_get_by_name(GST_BIN(&pipeline), kName));
  if (camera == nullptr ||
      g_object_class_find_property(G_OBJECT_GET_CLASS(camera.get()), "location") == nullptr) {
    return {};
  }
  gchar* location = nullptr;
  g_object_get(camera.get(), "location", &location, nullptr);
  std::string reached = location != nullptr ? location : "";
  g_free(location);
  return reached;
}

}  // namespace palisade
