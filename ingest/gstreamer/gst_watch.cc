#include "ingest/gstreamer/gst_watch.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace palisade {
namespace {

constexpr std::size_t kKeyframesInDecoder = 64;

void add_probe(GstElement& element, const char* pad_name, GstPadProbeType type, GstPadProbeCallback callback,
               void* self) {
  GstPad* const pad = gst_element_get_static_pad(&element, pad_name);
  if (pad == nullptr) return;
  gst_pad_add_probe(pad, type, callback, self, nullptr);
  gst_object_unref(pad);
}

// The buffer, or the last one of a list; null if the list is empty.
GstBuffer* packet_of(GstPadProbeInfo& info) {
  if ((info.type & GST_PAD_PROBE_TYPE_BUFFER_LIST) == 0) return GST_PAD_PROBE_INFO_BUFFER(&info);
  GstBufferList* const list = GST_PAD_PROBE_INFO_BUFFER_LIST(&info);
  const guint length = gst_buffer_list_length(list);
  return length > 0 ? gst_buffer_list_get(list, length - 1) : nullptr;
}

// The RTP sequence number of the packet; -1 if it is not RTP.
int sequence_of(GstPadProbeInfo& info) {
  GstBuffer* const packet = packet_of(info);
  std::uint8_t header[4];
  if (packet == nullptr || gst_buffer_extract(packet, 0, header, sizeof header) != sizeof header) return -1;
  return header[2] << 8 | header[3];
}

constexpr auto kPackets = GstPadProbeType(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);

void set_if_there(GstElement& element, const char* property, gboolean value) {
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(&element), property) != nullptr)
    g_object_set(&element, property, value, nullptr);
}

}  // namespace

GstWatch::GstWatch(int max_pixels, bool keyframes_only)
    : max_pixels_(max_pixels),
      keyframes_only_(keyframes_only),
      last_packet_(std::chrono::steady_clock::now()),
      last_keyframe_(std::chrono::steady_clock::now()) {}

void GstWatch::note_packet() {
  ++packets_;
  last_packet_ = std::chrono::steady_clock::now();
}

void GstWatch::note_times(GstPad& pad, GstPadProbeInfo& info) {
  GstBuffer* const packet = packet_of(info);
  if (packet == nullptr || !GST_BUFFER_PTS_IS_VALID(packet)) return;
  const Gst<GstCaps> caps(gst_pad_get_current_caps(&pad));
  int clock_rate = 0;
  if (caps != nullptr)
    gst_structure_get_int(gst_caps_get_structure(caps.get(), 0), "clock-rate", &clock_rate);
  std::uint8_t header[12];
  const gsize size = gst_buffer_extract(packet, 0, header, sizeof header);
  reports_.note_rtp({header, size}, std::chrono::nanoseconds(std::int64_t(GST_BUFFER_PTS(packet))),
                    clock_rate);
}

// Called in front of the depayloader, behind the jitter buffer. If the packet is the newest that was
// received, the reader has waited for it.
void GstWatch::note_rtp(GstPadProbeInfo& info) {
  const bool list = (info.type & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0;
  bytes_ += list ? gst_buffer_list_calculate_size(GST_PAD_PROBE_INFO_BUFFER_LIST(&info))
                 : gst_buffer_get_size(GST_PAD_PROBE_INFO_BUFFER(&info));
  const MonotonicTime before = last_packet_;
  note_packet();
  if (sequence_of(info) == received_)
    waited_ns_ += std::chrono::nanoseconds(last_packet_.load() - before).count();
}

Intake GstWatch::intake() const {
  Intake intake{.bytes = bytes_, .waited = {}};
  if (received_ >= 0) intake.waited = std::chrono::nanoseconds(waited_ns_);
  return intake;
}

bool GstWatch::passes(const GstBuffer& packet) {
  note_packet();
  if (GST_BUFFER_FLAG_IS_SET(&packet, GST_BUFFER_FLAG_DELTA_UNIT)) return !keyframes_only_;
  last_keyframe_ = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  keyframes_.push_back(GST_BUFFER_PTS(&packet));
  if (keyframes_.size() > kKeyframesInDecoder) keyframes_.pop_front();
  return true;
}

bool GstWatch::fits(GstEvent& event) {
  if (GST_EVENT_TYPE(&event) != GST_EVENT_CAPS) return true;
  GstCaps* caps = nullptr;
  gst_event_parse_caps(&event, &caps);
  const GstStructure* const form = gst_caps_get_structure(caps, 0);
  int width = 0;
  int height = 0;
  if (!gst_structure_get_int(form, "width", &width) || !gst_structure_get_int(form, "height", &height))
    return true;
  if (std::int64_t(width) * height <= max_pixels_) return true;
  too_large_ = true;
  return false;  // the decoder does not get these caps and refuses what follows
}

void GstWatch::add_decoder(GstElement& element, bool hardware) {
  hardware_ = hardware;
  decodes_ = true;
  set_if_there(element, "output-corrupt", FALSE);
  const auto on_event = +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
    const bool fits = static_cast<GstWatch*>(self)->fits(*GST_PAD_PROBE_INFO_EVENT(info));
    return fits ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
  };
  add_probe(element, "sink", GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, this);
  const auto on_packet = +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
    const bool passes = static_cast<GstWatch*>(self)->passes(*GST_PAD_PROBE_INFO_BUFFER(info));
    return passes ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
  };
  add_probe(element, "sink", GST_PAD_PROBE_TYPE_BUFFER, on_packet, this);
}

void GstWatch::add(GstElement& element) {
  constexpr GstElementFactoryListType kVideoDecoder =
      GST_ELEMENT_FACTORY_TYPE_DECODER | GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO;
  GstElementFactory* const factory = gst_element_get_factory(&element);
  const char* const kind =
      factory != nullptr ? gst_element_factory_get_metadata(factory, GST_ELEMENT_METADATA_KLASS) : nullptr;
  if (kind == nullptr) return;
  if (gst_element_factory_list_is_type(factory, kVideoDecoder)) {
    return add_decoder(element, std::strstr(kind, "Hardware") != nullptr);
  }
  if (std::strstr(kind, "Depayloader") != nullptr) add_depayloader(element);
  const std::string_view name = GST_OBJECT_NAME(factory);
  if (name == "rtpjitterbuffer") add_jitter_buffer(element);
  if (name == "rtpssrcdemux") add_demultiplexer(element);
}

void GstWatch::add_depayloader(GstElement& element) {
  // After a loss, pictures are dropped until the next keyframe, because they would build on a damaged one.
  set_if_there(element, "wait-for-keyframe", TRUE);
  const auto on_packet = +[](GstPad* pad, GstPadProbeInfo* info, gpointer self) {
    static_cast<GstWatch*>(self)->note_rtp(*info);
    static_cast<GstWatch*>(self)->note_times(*pad, *info);
    return GST_PAD_PROBE_OK;
  };
  add_probe(element, "sink", kPackets, on_packet, this);
}

// The demultiplexer gets the sender reports of a session, also those before the first packet.
void GstWatch::add_demultiplexer(GstElement& element) {
  const auto on_report = +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
    GstMapInfo map;
    GstBuffer* const packet = packet_of(*info);
    if (packet == nullptr || !gst_buffer_map(packet, &map, GST_MAP_READ)) return GST_PAD_PROBE_OK;
    static_cast<GstWatch*>(self)->reports_.note_rtcp({map.data, map.size});
    gst_buffer_unmap(packet, &map);
    return GST_PAD_PROBE_OK;
  };
  add_probe(element, "rtcp_sink", kPackets, on_report, this);
}

void GstWatch::add_jitter_buffer(GstElement& element) {
  const auto on_packet = +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
    static_cast<GstWatch*>(self)->received_ = sequence_of(*info);
    return GST_PAD_PROBE_OK;
  };
  add_probe(element, "sink", kPackets, on_packet, this);
}

void GstWatch::attach(GstElement& pipeline) {
  if (!GST_IS_BIN(&pipeline)) return;
  const auto added = +[](GstBin*, GstBin*, GstElement* element, gpointer self) {
    static_cast<GstWatch*>(self)->add(*element);
  };
  g_signal_connect(&pipeline, "deep-element-added", G_CALLBACK(added), this);
  GstIterator* const present = gst_bin_iterate_recurse(GST_BIN(&pipeline));
  const auto look = +[](const GValue* item, gpointer self) {
    static_cast<GstWatch*>(self)->add(*GST_ELEMENT(g_value_get_object(item)));
  };
  while (gst_iterator_foreach(present, look, this) == GST_ITERATOR_RESYNC) gst_iterator_resync(present);
  gst_iterator_free(present);
}

bool GstWatch::is_keyframe(GstClockTime pts) {
  if (!decodes_ || keyframes_only_) return true;
  const std::lock_guard lock(mutex_);
  return std::ranges::find(keyframes_, pts) != keyframes_.end();
}

}  // namespace palisade
