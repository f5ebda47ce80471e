#include "ingest/gst_camera.h"

#include <string_view>

namespace palisade {
namespace {

constexpr guint kReorderMs = 200;  // how long a packet of UDP is waited for
// Media time as the camera tells it: every other mode bends it to when packets arrive.
constexpr guint kTimestampsOnly = 0;
constexpr guint kTcp = 0x4;  // GstRTSPLowerTrans
constexpr guint kUdp = 0x1;

}  // namespace

void GstCamera::set_up(GstElement& pipeline, const SourceOptions& options) {
  const Gst<GstElement> camera(gst_bin_get_by_name(GST_BIN(&pipeline), "camera"));
  const guint64 patience = guint64(std::chrono::microseconds(options.open_timeout).count());
  g_object_set(camera.get(), "location", options.url.c_str(), "latency", kReorderMs, "protocols",
               options.transport == RtspTransport::kUdp ? kUdp : kTcp, "tcp-timeout", patience, "buffer-mode",
               kTimestampsOnly, "add-reference-timestamp-meta", TRUE, nullptr);
  // Beside the location, where they need no percent-encoding.
  if (!options.username.empty()) {
    g_object_set(camera.get(), "user-id", options.username.c_str(), "user-pw", options.password.c_str(),
                 nullptr);
  }
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

}  // namespace palisade
