// A camera for tests: serves moving pictures by RTSP on the loopback until it is killed, and prints its port.
// It is a process of its own, so that tests can freeze (SIGSTOP) and kill it.
//   rtsp_camera [PORT [USER PASSWORD basic|digest]]
// Lines on stdin change it while it runs, and are answered with "done":
//   size WIDTH HEIGHT       the picture of /live and /udp from now on, in the middle of the stream
//   codec h264|jpeg         the same as after a visit to a camera's settings: everybody is disconnected
//   password USER PASSWORD  asked for from now on; everybody is disconnected
//   kick                    everybody is disconnected
#include <gst/rtsp-server/rtsp-server.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>

namespace {

// A white ball on black, so that a damaged picture has another amount of white.
std::string ball(int width, int height, int rate, const std::string& coder, const std::string& filter = {}) {
  return "videotestsrc is-live=true pattern=ball ! capsfilter " + filter +
         " caps=video/x-raw,format=I420,width=" + std::to_string(width) +
         ",height=" + std::to_string(height) + ",framerate=" + std::to_string(rate) + "/1 ! " + coder;
}

std::string h264(int keyframe_every, const std::string& pay = "name=pay0") {
  return "x264enc tune=zerolatency speed-preset=ultrafast bframes=0 threads=1 key-int-max=" +
         std::to_string(keyframe_every) + " ! rtph264pay pt=96 config-interval=1 " + pay;
}

// The pipeline of /live.
struct Form {
  int width = 128;
  int height = 96;
  std::string codec = "h264";

  std::string launch() const {
    const std::string jpeg = "jpegenc ! rtpjpegpay pt=26 name=pay0";
    // resize() finds the filter by its name.
    return "( " + ball(width, height, 15, codec == "jpeg" ? jpeg : h264(15), "name=form") + " )";
  }
};

// Mount points that commands do not change.
const std::map<std::string, std::string> kFixed = {
    // RTP packets get lost on the way. They are small, so that a picture is several,
    {"/lossy", ball(320, 240, 15, h264(15, "mtu=160") + " ! netsim name=pay0 drop-probability=0.03")},
    // or large, so that a picture is one and some are whole,
    {"/losing", ball(128, 96, 15, h264(5, "") + " ! netsim name=pay0 drop-probability=0.3")},
    // or so small that none is.
    {"/shredded", ball(320, 240, 15, h264(15, "mtu=100") + " ! netsim name=pay0 drop-probability=0.3")},
    {"/doubled", ball(320, 240, 15, h264(15, "mtu=160") + " ! netsim name=pay0 duplicate-probability=0.005")},
    // Every tenth packet comes after the next one.
    {"/reordered", ball(320, 240, 15, h264(15, "mtu=160") + " ! netsim name=pay0")},
    {"/fast", ball(128, 96, 240, h264(240))},
    // Never sends a keyframe, like a camera with very few of them for a client that has just connected.
    {"/keyless", ball(128, 96, 15,
                      "x264enc tune=zerolatency speed-preset=ultrafast bframes=0 threads=1 ! "
                      "video/x-h264,stream-format=avc ! rtph264pay pt=96 name=pay0")},
    // Video in an MPEG transport stream, as broadcast encoders send it.
    {"/transport",
     ball(128, 96, 15,
          "x264enc tune=zerolatency speed-preset=ultrafast bframes=0 threads=1 key-int-max=15 ! "
          "mpegtsmux ! rtpmp2tpay pt=33 name=pay0")},
    {"/slow", ball(64, 48, 1, h264(1))},
    // One keyframe a minute, like cameras that save bandwidth.
    {"/seldom", ball(128, 96, 15, h264(1000))},
    {"/quick", ball(64, 48, 50, h264(1))},
    {"/audio", "audiotestsrc is-live=true ! alawenc ! rtppcmapay name=pay0"},
    {"/both", ball(128, 96, 15, h264(15)) + " audiotestsrc is-live=true ! alawenc ! rtppcmapay name=pay1"},
    {"/two", ball(128, 96, 15, h264(15)) + " " + ball(64, 48, 15, h264(15, "name=pay1"))},
};

class Camera {
 public:
  explicit Camera(const char* port) : server_(gst_rtsp_server_new()) {
    gst_rtsp_server_set_address(server_, "127.0.0.1");
    gst_rtsp_server_set_service(server_, port);
    mount("/live", form_.launch());
    mount("/udp", form_.launch());
    gst_rtsp_media_factory_set_protocols(factories_["/udp"], GST_RTSP_LOWER_TRANS_UDP);
    for (const auto& [path, launch] : kFixed) mount(path, "( " + launch + " )");
  }

  int attach() {
    if (gst_rtsp_server_attach(server_, nullptr) == 0) return -1;
    return gst_rtsp_server_get_bound_port(server_);
  }

  void ask_for_password(const std::string& user, const std::string& password, const std::string& method) {
    GstRTSPAuth* auth = gst_rtsp_auth_new();
    GstRTSPToken* token =
        gst_rtsp_token_new(GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, "viewer", nullptr);
    if (method == "digest") {
      gst_rtsp_auth_set_supported_methods(auth, GST_RTSP_AUTH_DIGEST);
      gst_rtsp_auth_add_digest(auth, user.c_str(), password.c_str(), token);
    } else {
      gchar* basic = gst_rtsp_auth_make_basic(user.c_str(), password.c_str());
      gst_rtsp_auth_add_basic(auth, basic, token);
      g_free(basic);
    }
    gst_rtsp_token_unref(token);
    for (const auto& [path, factory] : factories_) {
      gst_rtsp_media_factory_add_role(factory, "viewer", GST_RTSP_PERM_MEDIA_FACTORY_ACCESS, G_TYPE_BOOLEAN,
                                      TRUE, GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE,
                                      nullptr);
    }
    gst_rtsp_server_set_auth(server_, auth);
    g_object_unref(auth);
  }

  void obey(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "size") {
      words >> form_.width >> form_.height;
      resize();
    } else if (verb == "codec") {
      words >> form_.codec;
      kick();
    } else if (verb == "password") {
      std::string user;
      std::string password;
      words >> user >> password;
      kick();
      ask_for_password(user, password, "digest");
    } else if (verb == "kick") {
      kick();
    }
    for (const char* path : {"/live", "/udp"}) {
      gst_rtsp_media_factory_set_launch(factories_[path], form_.launch().c_str());
    }
    std::puts("done");
    std::fflush(stdout);
  }

 private:
  void mount(const std::string& path, const std::string& launch) {
    GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
    gst_rtsp_media_factory_set_launch(factory, launch.c_str());
    // A pipeline for each client, because gst-rtsp-server crashes if two start a shared one at the same
    // moment.
    gst_rtsp_media_factory_set_shared(factory, FALSE);
    g_signal_connect(factory, "media-configure", G_CALLBACK(on_media), this);
    factories_[path] = factory;
    GstRTSPMountPoints* mounts = gst_rtsp_server_get_mount_points(server_);
    gst_rtsp_mount_points_add_factory(mounts, path.c_str(), factory);
    g_object_unref(mounts);
  }

  static void on_media(GstRTSPMediaFactory* factory, GstRTSPMedia* media, gpointer self) {
    auto& camera = *static_cast<Camera*>(self);
    if (factory == camera.factories_["/keyless"]) drop_keyframes(media);
    if (factory == camera.factories_["/reordered"]) reorder(media);
    if (factory != camera.factories_["/live"] && factory != camera.factories_["/udp"]) return;
    camera.medias_.insert(media);
    g_object_weak_ref(G_OBJECT(media), on_media_gone, self);
  }
  static void on_media_gone(gpointer self, GObject* media) {
    static_cast<Camera*>(self)->medias_.erase(reinterpret_cast<GstRTSPMedia*>(media));
  }

  static void probe(GstRTSPMedia* media, const char* pad_name, GstPadProbeCallback callback, gpointer data) {
    GstElement* bin = gst_rtsp_media_get_element(media);
    GstElement* pay = gst_bin_get_by_name(GST_BIN(bin), "pay0");
    GstPad* pad = gst_element_get_static_pad(pay, pad_name);
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, callback, data, g_free);
    gst_object_unref(pad);
    gst_object_unref(pay);
    gst_object_unref(bin);
  }

  static void drop_keyframes(GstRTSPMedia* media) {
    const GstPadProbeCallback drop = [](GstPad*, GstPadProbeInfo* info, gpointer) {
      const bool delta = GST_BUFFER_FLAG_IS_SET(GST_PAD_PROBE_INFO_BUFFER(info), GST_BUFFER_FLAG_DELTA_UNIT);
      return delta ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
    };
    probe(media, "sink", drop, nullptr);
  }

  static void reorder(GstRTSPMedia* media) {
    struct Held {
      GstBuffer* packet;
      int count;
    };
    const GstPadProbeCallback swap = [](GstPad* pad, GstPadProbeInfo* info, gpointer data) {
      auto& held = *static_cast<Held*>(data);
      GstBuffer* const packet = gst_buffer_ref(GST_PAD_PROBE_INFO_BUFFER(info));
      if (held.packet == nullptr && ++held.count % 10 == 0) {
        held.packet = packet;
        return GST_PAD_PROBE_DROP;
      }
      GstBuffer* const late = std::exchange(held.packet, nullptr);
      if (late == nullptr) {
        gst_buffer_unref(packet);
        return GST_PAD_PROBE_OK;
      }
      held.count = 0;
      gst_pad_push(pad, packet);  // comes by here again, as one of the first of ten
      gst_pad_push(pad, late);
      return GST_PAD_PROBE_DROP;
    };
    probe(media, "src", swap, g_new0(Held, 1));
  }

  void resize() {
    for (GstRTSPMedia* media : medias_) {
      GstElement* bin = gst_rtsp_media_get_element(media);
      GstElement* filter = gst_bin_get_by_name(GST_BIN(bin), "form");
      GstCaps* caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT,
                                          form_.width, "height", G_TYPE_INT, form_.height, "framerate",
                                          GST_TYPE_FRACTION, 15, 1, nullptr);
      g_object_set(filter, "caps", caps, nullptr);
      gst_caps_unref(caps);
      gst_object_unref(filter);
      gst_object_unref(bin);
    }
  }

  void kick() {
    gst_rtsp_server_client_filter(
        server_, [](GstRTSPServer*, GstRTSPClient*, gpointer) { return GST_RTSP_FILTER_REMOVE; }, nullptr);
  }

  GstRTSPServer* server_;
  Form form_;
  std::map<std::string, GstRTSPMediaFactory*> factories_;
  std::set<GstRTSPMedia*> medias_;
};

gboolean on_command(GIOChannel*, GIOCondition, gpointer camera) {
  std::string line;
  if (!std::getline(std::cin, line)) return FALSE;
  static_cast<Camera*>(camera)->obey(line);
  return TRUE;
}

}  // namespace

int main(int argc, char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  gst_init(nullptr, nullptr);
  Camera camera(argc > 1 ? argv[1] : "0");
  if (argc > 4) camera.ask_for_password(argv[2], argv[3], argv[4]);
  const int port = camera.attach();
  if (port < 0) {
    std::fprintf(stderr, "rtsp_camera: the port is taken\n");
    return 1;
  }
  // Commands come one at a time, so nothing is left in std::cin's own buffer.
  g_io_add_watch(g_io_channel_unix_new(STDIN_FILENO), G_IO_IN, on_command, &camera);
  std::printf("%d\n", port);
  std::fflush(stdout);
  g_main_loop_run(g_main_loop_new(nullptr, FALSE));
}
