#pragma once

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include <memory>

// Owners of GStreamer's objects, for gst_*.cc only.
namespace palisade {

struct GstDelete {
  void operator()(GstElement* element) const { gst_object_unref(element); }
  void operator()(GstBus* bus) const { gst_object_unref(bus); }
  void operator()(GstSample* sample) const { gst_sample_unref(sample); }
  void operator()(GstMessage* message) const { gst_message_unref(message); }
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
  void operator()(GError* error) const { g_error_free(error); }
};

template <typename T>
using Gst = std::unique_ptr<T, GstDelete>;

}  // namespace palisade
