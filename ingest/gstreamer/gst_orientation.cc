#include "ingest/gstreamer/gst_orientation.h"

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace palisade {
namespace {

constexpr std::array<std::pair<std::string_view, Orientation>, 8> kTags = {{
    {"rotate-0", Orientation::kUpright},
    {"flip-rotate-0", Orientation::kMirror},
    {"rotate-180", Orientation::kHalfTurn},
    {"flip-rotate-180", Orientation::kFlip},
    {"flip-rotate-270", Orientation::kTranspose},
    {"rotate-90", Orientation::kTurnRight},
    {"flip-rotate-90", Orientation::kTransverse},
    {"rotate-270", Orientation::kTurnLeft},
}};

constexpr const char* kMark = "PalisadeOrientation";

void register_mark() {
  static std::once_flag once;
  static const gchar* no_tags[] = {nullptr};  // no tags, so that every element passes the metadata on
  std::call_once(once, [] { gst_meta_register_custom(kMark, no_tags, nullptr, nullptr, nullptr); });
}

GstBuffer* marked(GstBuffer* buffer, Orientation orientation) {
  GstBuffer* const writable = gst_buffer_make_writable(buffer);
  GstCustomMeta* const mark = gst_buffer_add_custom_meta(writable, kMark);
  if (mark != nullptr)
    gst_structure_set(gst_custom_meta_get_structure(mark), "value", G_TYPE_INT, int(orientation), nullptr);
  return writable;
}

std::optional<Orientation> mark_of(GstBuffer& buffer) {
  GstCustomMeta* const mark = gst_buffer_get_custom_meta(&buffer, kMark);
  int value = 0;
  if (mark == nullptr || !gst_structure_get_int(gst_custom_meta_get_structure(mark), "value", &value))
    return std::nullopt;
  return Orientation(value);
}

void probe_sink(GstElement& element, GstPadProbeType type, GstPadProbeCallback callback, void* self) {
  GstPad* const pad = gst_element_get_static_pad(&element, "sink");
  if (pad == nullptr) return;
  gst_pad_add_probe(pad, type, callback, self, nullptr);
  gst_object_unref(pad);
}

SeiOrientation messages_of(const GstCaps& caps) {
  const GstStructure* const form = gst_caps_get_structure(&caps, 0);
  const std::string_view name = gst_structure_get_name(form);
  if (name != "video/x-h264" && name != "video/x-h265") return {};
  const auto codec = name == "video/x-h264" ? SeiOrientation::Codec::kH264 : SeiOrientation::Codec::kH265;
  const GValue* const value = gst_structure_get_value(form, "codec_data");
  GstBuffer* const extra = value != nullptr ? gst_value_get_buffer(value) : nullptr;
  std::array<std::byte, 64> start{};
  const std::size_t size = extra != nullptr ? gst_buffer_extract(extra, 0, start.data(), start.size()) : 0;
  return SeiOrientation::of_extra_data(codec, std::span(start).first(size));
}

}  // namespace

void GstOrientation::note_format(GstEvent& event) {
  if (GST_EVENT_TYPE(&event) != GST_EVENT_CAPS) return;
  GstCaps* caps = nullptr;
  gst_event_parse_caps(&event, &caps);
  const std::lock_guard lock(mutex_);
  messages_ = messages_of(*caps);
}

// Marks the packet with its orientation. Decoders copy a packet's metadata to its picture, also if they
// reorder.
GstBuffer* GstOrientation::marked_packet(GstBuffer* packet) {
  GstMapInfo map;
  if (!gst_buffer_map(packet, &map, GST_MAP_READ)) return packet;
  std::unique_lock lock(mutex_);
  const auto said = messages_.next(std::as_bytes(std::span(map.data, map.size)));
  lock.unlock();
  gst_buffer_unmap(packet, &map);
  return said ? marked(packet, *said) : packet;
}

void GstOrientation::note_tag(GstEvent& event) {
  const std::lock_guard lock(mutex_);
  if (GST_EVENT_TYPE(&event) == GST_EVENT_STREAM_START) tag_ = std::nullopt;
  if (GST_EVENT_TYPE(&event) != GST_EVENT_TAG) return;
  GstTagList* tags = nullptr;
  gst_event_parse_tag(&event, &tags);
  gchar* text = nullptr;
  if (!gst_tag_list_get_string(tags, GST_TAG_IMAGE_ORIENTATION, &text)) return;
  for (const auto& [name, orientation] : kTags) {
    if (name == text) tag_ = orientation;
  }
  g_free(text);
}

GstBuffer* GstOrientation::marked_picture(GstBuffer* picture) {
  const std::lock_guard lock(mutex_);
  return tag_ && !mark_of(*picture) ? marked(picture, *tag_) : picture;
}

void GstOrientation::add(GstElement& element) {
  GstElementFactory* const factory = gst_element_get_factory(&element);
  if (factory == nullptr) return;
  const std::string_view name = gst_plugin_feature_get_name(GST_PLUGIN_FEATURE(factory));
  if (name.find("videoflip") != name.npos) turned_already_ = true;
  constexpr GstElementFactoryListType kVideoDecoder =
      GST_ELEMENT_FACTORY_TYPE_DECODER | GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO;
  if (!gst_element_factory_list_is_type(factory, kVideoDecoder)) return;
  const auto on_event = +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
    static_cast<GstOrientation*>(self)->note_format(*GST_PAD_PROBE_INFO_EVENT(info));
    return GST_PAD_PROBE_OK;
  };
  probe_sink(element, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, this);
  const auto on_packet = +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
    info->data = static_cast<GstOrientation*>(self)->marked_packet(GST_PAD_PROBE_INFO_BUFFER(info));
    return GST_PAD_PROBE_OK;
  };
  probe_sink(element, GST_PAD_PROBE_TYPE_BUFFER, on_packet, this);
}

void GstOrientation::attach(GstElement& pipeline, GstElement& sink) {
  register_mark();
  const auto on_event = +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
    static_cast<GstOrientation*>(self)->note_tag(*GST_PAD_PROBE_INFO_EVENT(info));
    return GST_PAD_PROBE_OK;
  };
  probe_sink(sink, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, this);
  const auto on_picture = +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
    info->data = static_cast<GstOrientation*>(self)->marked_picture(GST_PAD_PROBE_INFO_BUFFER(info));
    return GST_PAD_PROBE_OK;
  };
  probe_sink(sink, GST_PAD_PROBE_TYPE_BUFFER, on_picture, this);
  if (!GST_IS_BIN(&pipeline)) return;
  const auto added = +[](GstBin*, GstBin*, GstElement* element, gpointer self) {
    static_cast<GstOrientation*>(self)->add(*element);
  };
  g_signal_connect(&pipeline, "deep-element-added", G_CALLBACK(added), this);
  GstIterator* const present = gst_bin_iterate_recurse(GST_BIN(&pipeline));
  const auto look = +[](const GValue* item, gpointer self) {
    static_cast<GstOrientation*>(self)->add(*GST_ELEMENT(g_value_get_object(item)));
  };
  while (gst_iterator_foreach(present, look, this) == GST_ITERATOR_RESYNC) gst_iterator_resync(present);
  gst_iterator_free(present);
}

Orientation GstOrientation::of(GstBuffer& picture) const {
  return turned_already_ ? Orientation::kUpright : mark_of(picture).value_or(Orientation::kUpright);
}

}  // namespace palisade
