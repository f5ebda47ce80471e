#include "examples/dataset/clip_file.h"

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>

#include "base/format.h"
#include "examples/world/draw.h"

namespace palisade::world {
namespace {

constexpr std::size_t kMaxWaiting = 32 * kFrameBytes;

struct Unref {
  void operator()(void* object) const { gst_object_unref(object); }
  void operator()(GstMessage* message) const { gst_message_unref(message); }
};
using Element = std::unique_ptr<GstElement, Unref>;

// The file's name is set as a property, because it would need quoting in a pipeline's line. There are no
// B-frames, so that pictures keep their exact times.
Element encoder(const std::filesystem::path& file, int kbit_per_second) {
  const std::string line = format(
      "appsrc name=source format=time ! videoconvert ! video/x-raw,format=I420,colorimetry=bt601 ! x264enc "
      "speed-preset=veryfast bframes=0 threads=1 bitrate={} ! video/x-h264,profile=main ! mp4mux ! filesink "
      "name=sink",
      kbit_per_second);
  GError* error = nullptr;
  Element pipeline(gst_parse_launch(line.c_str(), &error));
  if (error != nullptr) {
    const std::string why = error->message;
    g_error_free(error);
    throw std::runtime_error("no encoder for clips (GStreamer's x264enc and mp4mux): " + why);
  }
  const Element sink(gst_bin_get_by_name(GST_BIN(pipeline.get()), "sink"));
  g_object_set(sink.get(), "location", file.c_str(), nullptr);
  return pipeline;
}

GstBuffer* drawn(const DrawPicture& draw, std::size_t i) {
  GstBuffer* const buffer = gst_buffer_new_allocate(nullptr, kFrameBytes, nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  draw(i, {map.data, map.size});
  gst_buffer_unmap(buffer, &map);
  return buffer;
}

[[noreturn]] void throw_error(GstMessage* message, const std::filesystem::path& file) {
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  const std::string why = error->message;
  g_error_free(error);
  throw std::runtime_error("cannot write " + file.string() + ": " + why);
}

// Hours of pictures must not wait in memory for an encoder that is slower than the painter.
void wait_for_room(GstAppSrc* source, GstBus* bus, const std::filesystem::path& file) {
  while (gst_app_src_get_current_level_bytes(source) > kMaxWaiting) {
    const std::unique_ptr<GstMessage, Unref> message(
        gst_bus_timed_pop_filtered(bus, 5 * GST_MSECOND, GST_MESSAGE_ERROR));
    if (message) throw_error(message.get(), file);
  }
}

void push_all(GstElement* pipeline, std::span<const double> times, const DrawPicture& draw,
              const std::filesystem::path& file) {
  const std::unique_ptr<GstBus, Unref> bus(gst_element_get_bus(pipeline));
  const Element source(gst_bin_get_by_name(GST_BIN(pipeline), "source"));
  GstCaps* const caps =
      gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "BGRx", "width", G_TYPE_INT, kWidth,
                          "height", G_TYPE_INT, kHeight, "framerate", GST_TYPE_FRACTION, 0, 1, nullptr);
  g_object_set(source.get(), "caps", caps, nullptr);
  gst_caps_unref(caps);
  const auto at = [&](std::size_t i) {
    return static_cast<GstClockTime>(std::llround((times[i] - times[0]) * GST_SECOND));
  };
  for (std::size_t i = 0; i < times.size(); ++i) {
    wait_for_room(GST_APP_SRC(source.get()), bus.get(), file);
    GstBuffer* const buffer = drawn(draw, i);
    const std::size_t gap =
        i + 1 < times.size() ? i : i - 1;  // the last picture lasts as long as the one before
    GST_BUFFER_PTS(buffer) = at(i);
    GST_BUFFER_DURATION(buffer) = at(gap + 1) - at(gap);
    gst_app_src_push_buffer(GST_APP_SRC(source.get()), buffer);
  }
  gst_app_src_end_of_stream(GST_APP_SRC(source.get()));
}

// Waits until the file is complete.
void wait_for_end(GstElement* pipeline, const std::filesystem::path& file) {
  const std::unique_ptr<GstBus, Unref> bus(gst_element_get_bus(pipeline));
  const std::unique_ptr<GstMessage, Unref> message(gst_bus_timed_pop_filtered(
      bus.get(), GST_CLOCK_TIME_NONE, static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS)));
  if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) return;
  throw_error(message.get(), file);
}

}  // namespace

void write_clip(const std::filesystem::path& file, std::span<const double> times, int kbit_per_second,
                const DrawPicture& draw) {
  if (times.size() < 2) throw std::invalid_argument("a clip has two pictures at least");
  gst_init(nullptr, nullptr);
  struct Stop {
    void operator()(GstElement* element) const { gst_element_set_state(element, GST_STATE_NULL); }
  };
  const Element pipeline = encoder(file, kbit_per_second);
  const std::unique_ptr<GstElement, Stop> playing(
      pipeline.get());  // declared last, so that the pipeline is stopped before it is freed
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  push_all(pipeline.get(), times, draw, file);
  wait_for_end(pipeline.get(), file);
}

}  // namespace palisade::world
