#pragma once

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include <memory>

// Smart pointers to GStreamer's objects.
namespace palisade {

// A pipeline must be stopped before it is freed.
struct GstStop {
  void operator()(GstElement* pipeline) const {
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
  }
};

struct GstDelete {
  void operator()(GstElement* element) const { gst_object_unref(element); }
  void operator()(GstPluginFeature* feature) const { gst_object_unref(feature); }
  void operator()(GstPlugin* plugin) const { gst_object_unref(plugin); }
  void operator()(GstBus* bus) const { gst_object_unref(bus); }
  void operator()(GstSample* sample) const { gst_sample_unref(sample); }
  void operator()(GstMessage* message) const { gst_message_unref(message); }
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
  void operator()(GError* error) const { g_error_free(error); }
};

template <typename T>
using Gst = std::unique_ptr<T, GstDelete>;
using GstPlaying = std::unique_ptr<GstElement, GstStop>;

}  // namespace palisade
