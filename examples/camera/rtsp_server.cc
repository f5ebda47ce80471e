#include "examples/camera/rtsp_server.h"

#include <glib-unix.h>
#include <gst/rtsp-server/rtsp-server.h>

#include <stdexcept>
#include <vector>

#include "base/format.h"
#include "examples/camera/live_source.h"

namespace palisade::world {
// One camera and its path.
struct CameraMount {
  StreetCamera* camera;
  int frames_per_second;
};

namespace {

// Sender reports get capture times instead of send times, which would include the pipeline's latency. The
// first report is sent early, so that a viewer soon knows the capture times.
void configure_rtp(GstBin*, GstBin*, GstElement* element, gpointer) {
  constexpr guint64 kReportEvery = 500 * GST_MSECOND;
  GstElementFactory* const factory = gst_element_get_factory(element);
  if (factory == nullptr) return;
  const std::string_view kind = GST_OBJECT_NAME(factory);
  if (kind == "rtpbin") g_object_set(element, "rtcp-sync-send-time", FALSE, nullptr);
  if (kind != "rtpsession") return;
  GObject* session = nullptr;
  g_object_get(element, "internal-session", &session, nullptr);
  if (session == nullptr) return;
  g_object_set(session, "rtcp-min-interval", kReportEvery, nullptr);
  g_object_unref(session);
}

void configure_media(GstRTSPMediaFactory*, GstRTSPMedia* media, gpointer data) {
  const auto* const mount = static_cast<const CameraMount*>(data);
  GstElement* const element = gst_rtsp_media_get_element(media);
  GstElement* const source = gst_bin_get_by_name_recurse_up(GST_BIN(element), "source");
  feed_live(source, *mount->camera, mount->frames_per_second);
  gst_object_unref(source);
  GstObject* const pipeline = gst_object_get_parent(GST_OBJECT(element));
  if (pipeline != nullptr) {
    g_signal_connect(pipeline, "deep-element-added", G_CALLBACK(configure_rtp), nullptr);
    gst_object_unref(pipeline);
  }
  gst_object_unref(element);
}

std::string launch_line(const ServerSettings& settings) {
  // threads=1, because two cameras and the model share the machine.
  return format(
      "( appsrc name=source ! videoconvert ! video/x-raw,format=I420,colorimetry=bt601 ! x264enc "
      "tune=zerolatency speed-preset=veryfast threads=1 bitrate={} key-int-max={} ! "
      "video/x-h264,profile=main ! rtph264pay name=pay0 pt=96 config-interval=-1 )",
      settings.kbit_per_second, settings.frames_per_second);
}

}  // namespace

struct RtspServer::State {
  ServerSettings settings;
  GMainLoop* loop = nullptr;
  GstRTSPServer* server = nullptr;
  guint attached = 0;
  std::vector<std::unique_ptr<CameraMount>> mounts;

  ~State() {
    if (server != nullptr) {
      const auto close = [](GstRTSPServer*, GstRTSPClient*, gpointer) { return GST_RTSP_FILTER_REMOVE; };
      g_list_free_full(gst_rtsp_server_client_filter(server, close, nullptr), g_object_unref);
      if (attached != 0) g_source_remove(attached);
      g_object_unref(server);
      gst_rtsp_thread_pool_cleanup();
    }
    if (loop != nullptr) g_main_loop_unref(loop);
  }
};

RtspServer::RtspServer(ServerSettings settings) : state_(std::make_unique<State>()) {
  gst_init(nullptr, nullptr);
  state_->settings = std::move(settings);
  state_->loop = g_main_loop_new(nullptr, FALSE);
  state_->server = gst_rtsp_server_new();
  gst_rtsp_server_set_address(state_->server, state_->settings.address.c_str());
  gst_rtsp_server_set_service(state_->server, std::to_string(state_->settings.port).c_str());
  state_->attached = gst_rtsp_server_attach(state_->server, nullptr);
  if (state_->attached == 0)
    throw std::runtime_error(format("cannot listen at {}:{}; choose another --port", state_->settings.address,
                                    state_->settings.port));
}

RtspServer::~RtspServer() = default;

void RtspServer::serve(StreetCamera& camera) {
  GstRTSPMediaFactory* const factory = gst_rtsp_media_factory_new();
  gst_rtsp_media_factory_set_launch(factory, launch_line(state_->settings).c_str());
  gst_rtsp_media_factory_set_shared(factory, TRUE);
  state_->mounts.push_back(
      std::make_unique<CameraMount>(CameraMount{&camera, state_->settings.frames_per_second}));
  g_signal_connect(factory, "media-configure", G_CALLBACK(configure_media), state_->mounts.back().get());
  GstRTSPMountPoints* const points = gst_rtsp_server_get_mount_points(state_->server);
  gst_rtsp_mount_points_add_factory(points, ("/" + camera.name()).c_str(), factory);
  g_object_unref(points);
}

std::string RtspServer::url(const StreetCamera& camera) const {
  return format("rtsp://{}:{}/{}", state_->settings.address, gst_rtsp_server_get_bound_port(state_->server),
                camera.name());
}

void RtspServer::run(std::optional<std::chrono::seconds> limit) {
  const auto stop = [](gpointer loop) -> gboolean {
    g_main_loop_quit(static_cast<GMainLoop*>(loop));
    return G_SOURCE_CONTINUE;
  };
  // Every second: continues the truth file, also without viewers, and closes sessions that have timed out.
  const auto tick = [](gpointer data) -> gboolean {
    const auto* const state = static_cast<const State*>(data);
    for (const auto& mount : state->mounts) mount->camera->foresee(wall_now());
    GstRTSPSessionPool* const pool = gst_rtsp_server_get_session_pool(state->server);
    gst_rtsp_session_pool_cleanup(pool);
    g_object_unref(pool);
    return G_SOURCE_CONTINUE;
  };
  std::vector<guint> sources{g_unix_signal_add(SIGINT, stop, state_->loop),
                             g_unix_signal_add(SIGTERM, stop, state_->loop),
                             g_timeout_add(1000, tick, state_.get())};
  if (limit) sources.push_back(g_timeout_add_seconds(static_cast<guint>(limit->count()), stop, state_->loop));
  g_main_loop_run(state_->loop);
  for (const guint source : sources) g_source_remove(source);
}

}  // namespace palisade::world
