#include "ingest/gstreamer/gst_camera.h"

#include <gio/gio.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/redaction.h"
#include "ingest/gstreamer/gst_rtsp_extension.h"
#include "ingest/rtsp/rtsp_faults.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

constexpr const char* kName = "camera";
constexpr guint kJitterBufferMs = 200;  // how long a missing datagram is waited for
// The jitter buffer's mode "none" keeps the camera's timestamps; every other mode adapts them to arrival.
constexpr guint kTimestampsOnly = 0;
constexpr int kMaxRedirections = 5;

struct TlsFlagText {
  unsigned flag;
  const char* text;
};
// The most specific ones first: a self-signed certificate may also be expired.
constexpr std::array<TlsFlagText, 6> kTlsFlagTexts = {{
    {G_TLS_CERTIFICATE_EXPIRED, "has expired: give the camera a new one"},
    {G_TLS_CERTIFICATE_NOT_ACTIVATED, "is not valid yet: are the clocks of camera and host right?"},
    {G_TLS_CERTIFICATE_REVOKED, "has been revoked: give the camera a new one"},
    {G_TLS_CERTIFICATE_BAD_IDENTITY, "is for another host: use the name that it is made out to"},
    {G_TLS_CERTIFICATE_INSECURE, "is of an insecure kind: give the camera a new one"},
    {G_TLS_CERTIFICATE_UNKNOWN_CA,
     "is signed by nobody who is trusted (by the camera itself?): name the signer's certificate in tls_ca:, "
     "or, "
     "in a network of your own alone, set tls_verify: false"},
}};

bool is_v4l2(const SourceOptions& options) {
  return scheme_of(options.url) == "v4l2";
}

std::string device_of(const SourceOptions& options) {
  return options.url.substr(options.url.find(':') + 1);
}

// GStreamer would also open files and pipes, and could then read or wait without end.
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

// Whether an element can depayload a stream with these caps, which come from the session description.
bool can_unpack(const GstCaps& described) {
  const Gst<GstCaps> packets(gst_caps_copy(&described));
  gst_structure_set_name(gst_caps_get_structure(packets.get(), 0), "application/x-rtp");
  GList* const all =
      gst_element_factory_list_get_elements(GST_ELEMENT_FACTORY_TYPE_DEPAYLOADER, GST_RANK_MARGINAL);
  GList* const able = gst_element_factory_list_filter(all, packets.get(), GST_PAD_SINK, FALSE);
  const bool any = able != nullptr;
  gst_plugin_feature_list_free(able);
  gst_plugin_feature_list_free(all);
  return any;
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

GstCamera::GstCamera(const SourceOptions& options) : options_(options) {
  if (is_camera(options) && !is_v4l2(options)) address_ = rtsp_address(options);
}

GstElement* GstCamera::parse(const std::string& line, GError** error) {
  if (!address_) return gst_parse_launch_full(line.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, error);
  const RtspExtensionScope scope(dialogue_, address_->host);
  GstElement* const pipeline =
      gst_parse_launch_full(line.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, error);
  if (pipeline == nullptr || scope.taken()) return pipeline;
  gst_object_unref(pipeline);
  throw SourceError(SourceFault::kRefused,
                    "this GStreamer's rtspsrc does not tell what a camera answers: read "
                    "it with reader: ffmpeg");
}

void GstCamera::set_up(GstElement& pipeline, const SourceOptions& options, RtspTransport transport) {
  offers_ = has_video_ = unknown_encoding_ = false;
  const Gst<GstElement> camera(gst_bin_get_by_name(GST_BIN(&pipeline), kName));
  if (is_v4l2(options)) {
    g_object_set(camera.get(), "device", device_of(options).c_str(), nullptr);
    return;
  }
  dialogue_->forget();
  const auto patience = guint64(std::chrono::microseconds(options.open_timeout).count());
  g_object_set(camera.get(), "location", address_->url().c_str(), "latency", kJitterBufferMs, "tcp-timeout",
               patience, "timeout", guint64(0), "buffer-mode", kTimestampsOnly, nullptr);
  if (!address_->username.empty() || !address_->password.empty()) {
    g_object_set(camera.get(), "user-id", address_->username.c_str(), "user-pw", address_->password.c_str(),
                 nullptr);
  }
  gst_util_set_object_arg(G_OBJECT(camera.get()), "protocols",
                          transport == RtspTransport::kUdp ? "udp" : "tcp");
  if (address_->secure) set_up_tls(*camera);
  g_signal_connect(camera.get(), "select-stream", G_CALLBACK(on_stream), this);
}

void GstCamera::set_up_tls(GstElement& rtspsrc) {
  certificate_faults_ = 0;
  if (!options_.tls_verify) {
    gst_util_set_object_arg(G_OBJECT(&rtspsrc), "tls-validation-flags", "0");
    return;
  }
  g_signal_connect(&rtspsrc, "accept-certificate", G_CALLBACK(on_certificate), this);
  if (options_.tls_ca.empty()) return;
  GError* raw = nullptr;
  GTlsDatabase* const trusted = g_tls_file_database_new(options_.tls_ca.c_str(), &raw);
  const Gst<GError> error(raw);
  if (trusted == nullptr) {
    throw SourceError(SourceFault::kRefused,
                      options_.tls_ca + ": no certificates can be read from it; tls_ca is a PEM file");
  }
  g_object_set(&rtspsrc, "tls-database", trusted, nullptr);
  g_object_unref(trusted);
}

// GStreamer calls this only for certificates with a fault.
gboolean GstCamera::on_certificate(GstElement*, gpointer, gpointer, guint faults, gpointer self) {
  static_cast<GstCamera*>(self)->certificate_faults_ = faults;
  return FALSE;
}

void GstCamera::follow(const std::string& location) {
  if (++redirects_ > kMaxRedirections) {
    throw SourceError(SourceFault::kUnreachable,
                      redact_text(redact_url(options_.url), options_.password) +
                          ": redirects in a circle: give the stream's own address");
  }
  address_ = redirected_rtsp(*address_, location, options_);
}

std::optional<SourceError> GstCamera::fault(const std::string& shown, std::chrono::milliseconds patience,
                                            const std::stop_token& stop) const {
  if (!address_) return std::nullopt;
  for (const TlsFlagText& fault : kTlsFlagTexts) {
    if ((certificate_faults_ & fault.flag) != 0)
      return SourceError(SourceFault::kUnreachable, shown + ": its certificate " + fault.text);
  }
  const RtspAnswer last = dialogue_->last();
  if (auto fault = fault_of(last, *address_, shown)) return fault;
  return last.status == 0 ? connection_fault(*address_, shown, patience, stop) : std::nullopt;
}

// Selects the first video stream and no other.
gboolean GstCamera::on_stream(GstElement*, guint, GstCaps* caps, gpointer self) {
  auto& camera = *static_cast<GstCamera*>(self);
  camera.offers_ = true;
  const gchar* const media = gst_structure_get_string(gst_caps_get_structure(caps, 0), "media");
  if (media == nullptr || std::string_view(media) != "video") return FALSE;
  if (camera.has_video_.exchange(true)) return FALSE;
  camera.unknown_encoding_ = !can_unpack(*caps);
  return TRUE;
}

}  // namespace palisade
