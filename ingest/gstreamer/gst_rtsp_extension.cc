#include "ingest/gstreamer/gst_rtsp_extension.h"

#include <gst/gst.h>
#include <gst/rtsp/gstrtspextension.h>
#include <gst/sdp/gstsdpmessage.h>

#include <string_view>
#include <utility>

#include "ingest/source/url.h"

namespace palisade {
namespace {

struct CameraDialogue {
  std::shared_ptr<RtspDialogue> dialogue;
  std::string host;
  bool taken = false;
};

thread_local CameraDialogue* made_on_this_thread = nullptr;

struct RtspExtension {
  GstElement parent;
  CameraDialogue* listening;  // owned; null if rtspsrc was created without an RtspExtensionScope
};

struct RtspExtensionClass {
  GstElementClass parent;
};

void take_interface(gpointer table, gpointer);

G_DEFINE_TYPE_WITH_CODE(RtspExtension, rtsp_extension, GST_TYPE_ELEMENT,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_RTSP_EXTENSION, take_interface))

RtspExtension* extension_of(gpointer instance) {
  return reinterpret_cast<RtspExtension*>(instance);
}

void rtsp_extension_init(RtspExtension* self) {
  self->listening = nullptr;
  if (made_on_this_thread == nullptr) return;
  made_on_this_thread->taken = true;
  self->listening = new CameraDialogue(*made_on_this_thread);
}

void finalize(GObject* object) {
  delete std::exchange(extension_of(object)->listening, nullptr);
  G_OBJECT_CLASS(rtsp_extension_parent_class)->finalize(object);
}

void rtsp_extension_class_init(RtspExtensionClass* type) {
  G_OBJECT_CLASS(type)->finalize = finalize;
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(type), "RTSP dialogue",
                                        "Network/Extension/Protocol", "Hears what a camera answers",
                                        "Palisade");
}

// The header's value, a pointer into the message; null if there is none of this index.
char* header_of(GstRTSPMessage& message, GstRTSPHeaderField field, int index) {
  gchar* value = nullptr;
  return gst_rtsp_message_get_header(&message, field, &value, index) == GST_RTSP_OK ? value : nullptr;
}

RtspAnswer answer_of(GstRTSPMessage& response) {
  GstRTSPStatusCode code = GST_RTSP_STS_INVALID;
  const gchar* reason = nullptr;
  RtspAnswer answer;
  if (gst_rtsp_message_parse_response(&response, &code, &reason, nullptr) != GST_RTSP_OK) return answer;
  answer.status = int(code);
  if (reason != nullptr) answer.reason = reason;
  if (const char* const location = header_of(response, GST_RTSP_HDR_LOCATION, 0)) answer.location = location;
  for (int i = 0; const char* const challenge = header_of(response, GST_RTSP_HDR_WWW_AUTHENTICATE, i); ++i)
    answer.challenges.emplace_back(challenge);
  return answer;
}

// Called on rtspsrc's thread before it evaluates the answer.
GstRTSPResult hear_answer(GstRTSPExtension* self, GstRTSPMessage*, GstRTSPMessage* response) {
  const CameraDialogue* const listening = extension_of(self)->listening;
  if (listening == nullptr) return GST_RTSP_OK;
  const RtspAnswer answer = answer_of(*response);
  if (answer.status == 0) return GST_RTSP_OK;
  listening->dialogue->hear(answer);
  if (char* const transport = header_of(*response, GST_RTSP_HDR_TRANSPORT, 0)) disarm_transport(transport);
  for (int i = int(answer.challenges.size()) - 1; i >= 0; --i) {
    if (can_be_answered(answer.challenges[std::size_t(i)])) continue;
    gst_rtsp_message_remove_header(response, GST_RTSP_HDR_WWW_AUTHENTICATE, i);
  }
  if (answer.redirects()) {
    gst_rtsp_message_remove_header(response, GST_RTSP_HDR_LOCATION, -1);
    response->type_data.response.code =
        GST_RTSP_STS_INTERNAL_SERVER_ERROR;  // a status that rtspsrc does not follow
  }
  return GST_RTSP_OK;
}

void tell_media(const GstSDPMessage& description, RtspDialogue& dialogue) {
  dialogue.hear_description();
  for (guint i = 0; i < gst_sdp_message_medias_len(&description); ++i) {
    const GstSDPMedia* const media = gst_sdp_message_get_media(&description, i);
    std::string line = media->media != nullptr ? media->media : "";
    for (guint k = 0; k < gst_sdp_media_formats_len(media); ++k)
      line += std::string(" ") + gst_sdp_media_get_format(media, k);
    dialogue.hear_media(line);
    if (const gchar* const encoding = gst_sdp_media_get_attribute_val(media, "rtpmap"))
      dialogue.hear_attribute(std::string("rtpmap:") + encoding);
  }
}

// rtspsrc would connect to another host if the session's control URL names one.
GstRTSPResult hear_description(GstRTSPExtension* self, GstSDPMessage* description, GstStructure*) {
  const CameraDialogue* const listening = extension_of(self)->listening;
  if (listening == nullptr) return GST_RTSP_OK;
  tell_media(*description, *listening->dialogue);
  for (guint i = 0; i < gst_sdp_message_attributes_len(description); ++i) {
    const GstSDPAttribute* const attribute = gst_sdp_message_get_attribute(description, i);
    if (std::string_view(attribute->key) != "control" || attribute->value == nullptr) continue;
    const std::string host = host_of(attribute->value);
    if (host.empty() || host == listening->host) continue;
    GstSDPAttribute whole{};
    gst_sdp_attribute_set(&whole, "control", "*");
    gst_sdp_message_replace_attribute(description, i, &whole);
  }
  return GST_RTSP_OK;
}

void take_interface(gpointer table, gpointer) {
  auto* const extension = static_cast<GstRTSPExtensionInterface*>(table);
  extension->after_send = hear_answer;
  extension->parse_sdp = hear_description;
}

}  // namespace

void register_rtsp_extension() {
  gst_element_register(nullptr, "palisadertspdialogue", GST_RANK_MARGINAL, rtsp_extension_get_type());
}

RtspExtensionScope::RtspExtensionScope(std::shared_ptr<RtspDialogue> dialogue, std::string host) {
  made_on_this_thread = new CameraDialogue{std::move(dialogue), std::move(host)};
}

RtspExtensionScope::~RtspExtensionScope() {
  delete std::exchange(made_on_this_thread, nullptr);
}

bool RtspExtensionScope::taken() const {
  return made_on_this_thread->taken;
}

}  // namespace palisade
