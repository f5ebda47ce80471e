#include "ingest/gst_watch.h"

#include <cstring>

namespace palisade {
namespace {

bool is_a(GstElement& element, const char* kind) {
  const GstElementFactory* const factory = gst_element_get_factory(&element);
  if (factory == nullptr) return false;
  const gchar* const classes =
      gst_element_factory_get_metadata(const_cast<GstElementFactory*>(factory), GST_ELEMENT_METADATA_KLASS);
  return classes != nullptr && std::strstr(classes, kind) != nullptr;
}

void add_probe(GstElement& element, GstPadProbeType type, GstPadProbeCallback callback, void* self) {
  GstPad* const pad = gst_element_get_static_pad(&element, "sink");
  if (pad == nullptr) return;
  gst_pad_add_probe(pad, type, callback, self, nullptr);
  gst_object_unref(pad);
}

}  // namespace

GstPadProbeReturn GstWatch::on_packet(GstPad*, GstPadProbeInfo*, gpointer self) {
  ++static_cast<GstWatch*>(self)->packets_;
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn GstWatch::on_caps(GstPad*, GstPadProbeInfo* info, gpointer self) {
  auto& watch = *static_cast<GstWatch*>(self);
  GstEvent* const event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return GST_PAD_PROBE_OK;
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  const GstStructure* const form = gst_caps_get_structure(caps, 0);
  int width = 0;
  int height = 0;
  if (!gst_structure_get_int(form, "width", &width) || !gst_structure_get_int(form, "height", &height)) {
    return GST_PAD_PROBE_OK;
  }
  if (std::int64_t(width) * height <= watch.max_pixels_) return GST_PAD_PROBE_OK;
  watch.too_large_ = true;
  return GST_PAD_PROBE_DROP;  // the decoder never hears of it, and refuses what follows
}

void GstWatch::watch(GstElement& element) {
  if (is_a(element, "Depayloader")) {
    add_probe(element, GstPadProbeType(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST), on_packet,
              this);
    // After a loss: nothing until the next key frame, instead of pictures built upon a damaged one.
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(&element), "wait-for-keyframe") != nullptr) {
      g_object_set(&element, "wait-for-keyframe", TRUE, nullptr);
    }
  }
  if (is_a(element, "Decoder")) {
    add_probe(element, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_caps, this);
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(&element), "output-corrupt") != nullptr) {
      g_object_set(&element, "output-corrupt", FALSE, nullptr);
    }
  }
}

void GstWatch::on_element(GstBin*, GstBin*, GstElement* element, gpointer self) {
  static_cast<GstWatch*>(self)->watch(*element);
}

void GstWatch::attach(GstElement& pipeline) {
  if (!GST_IS_BIN(&pipeline)) return;
  g_signal_connect(&pipeline, "deep-element-added", G_CALLBACK(on_element), this);
  GstIterator* const elements = gst_bin_iterate_recurse(GST_BIN(&pipeline));
  const GstIteratorForeachFunction each = [](const GValue* value, gpointer self) {
    static_cast<GstWatch*>(self)->watch(*GST_ELEMENT(g_value_get_object(value)));
  };
  while (gst_iterator_foreach(elements, each, this) == GST_ITERATOR_RESYNC) gst_iterator_resync(elements);
  gst_iterator_free(elements);
}

}  // namespace palisade
