#include "examples/camera/live_source.h"

#include <gst/app/gstappsrc.h>

namespace palisade::world {
namespace {

// Called on the appsrc's streaming thread whenever the last picture has been sent.
struct LiveSource {
  StreetCamera& camera;
  guint64 frames_per_second;
  guint64 next = 0;  // number of the next picture; picture n shows the running time n / frames_per_second

  GstClockTime time_of(guint64 number) const { return number * GST_SECOND / frames_per_second; }
  void send_next(GstAppSrc* source);
};

GstBuffer* drawn(StreetCamera& camera, double wall) {
  GstBuffer* const buffer = gst_buffer_new_allocate(nullptr, kFrameBytes, nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  camera.draw(wall, {map.data, map.size});
  gst_buffer_unmap(buffer, &map);
  return buffer;
}

void LiveSource::send_next(GstAppSrc* source) {
  GstClock* const clock = gst_element_get_clock(GST_ELEMENT(source));
  if (clock == nullptr) return;  // the pipeline is being stopped
  const GstClockTime base = gst_element_get_base_time(GST_ELEMENT(source));
  const guint64 due = (gst_clock_get_time(clock) - base) * frames_per_second / GST_SECOND;
  if (due > next) next = due;  // skips pictures that are already too late
  const GstClockID wake = gst_clock_new_single_shot_id(clock, base + time_of(next));
  gst_clock_id_wait(wake, nullptr);
  gst_clock_id_unref(wake);

  // The wall time that belongs to the picture's running time, by the two clocks that RTCP sender reports
  // relate.
  const double late = static_cast<double>(gst_clock_get_time(clock) - base - time_of(next)) / GST_SECOND;
  GstBuffer* const buffer = drawn(camera, wall_now() - late);
  GST_BUFFER_PTS(buffer) = time_of(next);
  GST_BUFFER_DURATION(buffer) = time_of(next + 1) - time_of(next);
  ++next;
  gst_object_unref(clock);
  gst_app_src_push_buffer(source, buffer);
}

}  // namespace

void feed_live(GstElement* appsrc, StreetCamera& camera, int frames_per_second) {
  GstCaps* const caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "BGRx", "width",
                                            G_TYPE_INT, kWidth, "height", G_TYPE_INT, kHeight, "framerate",
                                            GST_TYPE_FRACTION, frames_per_second, 1, nullptr);
  g_object_set(appsrc, "caps", caps, "format", GST_FORMAT_TIME, "is-live", TRUE, "do-timestamp", FALSE,
               nullptr);
  gst_caps_unref(caps);
  GstAppSrcCallbacks callbacks{};
  callbacks.need_data = [](GstAppSrc* source, guint, gpointer data) {
    static_cast<LiveSource*>(data)->send_next(source);
  };
  gst_app_src_set_callbacks(GST_APP_SRC(appsrc), &callbacks,
                            new LiveSource{camera, static_cast<guint64>(frames_per_second)},
                            [](gpointer data) { delete static_cast<LiveSource*>(data); });
}

}  // namespace palisade::world
