// A camera for tests: serves a moving picture as RTSP on the loopback until it is killed, and prints its
// port. Being a process of its own it can be frozen (SIGSTOP) and killed as real ones freeze and die.
// /live speaks TCP and UDP, /udp refuses TCP, /seldom sends a keyframe a minute.
//   rtsp_camera [PORT [USER PASSWORD basic|digest]]
#include <gst/rtsp-server/rtsp-server.h>
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <cstring>

namespace {

constexpr const char* kPicture =
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=128,height=96,framerate=15/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 bframes=0 threads=1 ! "
    "rtph264pay name=pay0 pt=96 config-interval=1 )";

constexpr const char* kSeldomKeyframes =
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=128,height=96,framerate=15/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=1000 bframes=0 threads=1 ! "
    "rtph264pay name=pay0 pt=96 config-interval=1 )";

void ask_for_password(GstRTSPServer* server, GstRTSPMediaFactory* factory, char** arguments) {
  GstRTSPAuth* auth = gst_rtsp_auth_new();
  GstRTSPToken* token =
      gst_rtsp_token_new(GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, "viewer", nullptr);
  if (std::strcmp(arguments[2], "digest") == 0) {
    gst_rtsp_auth_set_supported_methods(auth, GST_RTSP_AUTH_DIGEST);
    gst_rtsp_auth_add_digest(auth, arguments[0], arguments[1], token);
  } else {
    gchar* basic = gst_rtsp_auth_make_basic(arguments[0], arguments[1]);
    gst_rtsp_auth_add_basic(auth, basic, token);
    g_free(basic);
  }
  gst_rtsp_token_unref(token);
  gst_rtsp_media_factory_add_role(factory, "viewer", GST_RTSP_PERM_MEDIA_FACTORY_ACCESS, G_TYPE_BOOLEAN, TRUE,
                                  GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE, nullptr);
  gst_rtsp_server_set_auth(server, auth);
  g_object_unref(auth);
}

}  // namespace

int main(int argc, char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  gst_init(nullptr, nullptr);
  GstRTSPServer* server = gst_rtsp_server_new();
  gst_rtsp_server_set_address(server, "127.0.0.1");
  gst_rtsp_server_set_service(server, argc > 1 ? argv[1] : "0");
  GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
  gst_rtsp_media_factory_set_launch(factory, kPicture);
  gst_rtsp_media_factory_set_shared(factory, TRUE);
  if (argc > 4) ask_for_password(server, factory, argv + 2);
  GstRTSPMountPoints* mounts = gst_rtsp_server_get_mount_points(server);
  gst_rtsp_mount_points_add_factory(mounts, "/live", factory);
  GstRTSPMediaFactory* udp_alone = gst_rtsp_media_factory_new();
  gst_rtsp_media_factory_set_launch(udp_alone, kPicture);
  gst_rtsp_media_factory_set_protocols(udp_alone, GST_RTSP_LOWER_TRANS_UDP);
  gst_rtsp_mount_points_add_factory(mounts, "/udp", udp_alone);
  GstRTSPMediaFactory* seldom = gst_rtsp_media_factory_new();
  gst_rtsp_media_factory_set_launch(seldom, kSeldomKeyframes);
  gst_rtsp_mount_points_add_factory(mounts, "/seldom", seldom);
  g_object_unref(mounts);
  if (gst_rtsp_server_attach(server, nullptr) == 0) {
    std::fprintf(stderr, "rtsp_camera: the port is taken\n");
    return 1;
  }
  std::printf("%d\n", gst_rtsp_server_get_bound_port(server));
  std::fflush(stdout);
  g_main_loop_run(g_main_loop_new(nullptr, FALSE));
}
