#include "ingest/gst_packets.h"

#include <algorithm>
#include <cstring>

namespace palisade {
namespace {

constexpr std::size_t kKeyframesInDecoder = 64;

}  // namespace

GstPackets::GstPackets(bool keyframes_only)
    : keyframes_only_(keyframes_only),
      last_(std::chrono::steady_clock::now()),
      last_keyframe_(std::chrono::steady_clock::now()) {}

void GstPackets::watch(GstElement& pipeline) {
  if (!GST_IS_BIN(&pipeline)) return;
  const auto added = +[](GstBin*, GstBin*, GstElement* element, gpointer self) {
    static_cast<GstPackets*>(self)->add(*element);
  };
  g_signal_connect(&pipeline, "deep-element-added", G_CALLBACK(added), this);
  GstIterator* const present = gst_bin_iterate_recurse(GST_BIN(&pipeline));
  const auto look = +[](const GValue* item, gpointer self) {
    static_cast<GstPackets*>(self)->add(*GST_ELEMENT(g_value_get_object(item)));
  };
  gst_iterator_foreach(present, look, this);
  gst_iterator_free(present);
}

void GstPackets::add(GstElement& element) {
  constexpr GstElementFactoryListType kVideoDecoder =
      GST_ELEMENT_FACTORY_TYPE_DECODER | GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO;
  GstElementFactory* const factory = gst_element_get_factory(&element);
  if (factory == nullptr || !gst_element_factory_list_is_type(factory, kVideoDecoder)) return;
  GstPad* const sink = gst_element_get_static_pad(&element, "sink");
  if (sink == nullptr) return;
  const char* const kind = gst_element_factory_get_metadata(factory, GST_ELEMENT_METADATA_KLASS);
  hardware_ = kind != nullptr && std::strstr(kind, "Hardware") != nullptr;
  decodes_ = true;
  const auto probe = +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
    const bool pass = static_cast<GstPackets*>(self)->pass(*GST_PAD_PROBE_INFO_BUFFER(info));
    return pass ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
  };
  gst_pad_add_probe(sink, GST_PAD_PROBE_TYPE_BUFFER, probe, this, nullptr);
  gst_object_unref(sink);
}

bool GstPackets::pass(const GstBuffer& packet) {
  const MonotonicTime now = std::chrono::steady_clock::now();
  last_ = now;
  any_ = true;
  if (GST_BUFFER_FLAG_IS_SET(&packet, GST_BUFFER_FLAG_DELTA_UNIT)) return !keyframes_only_;
  last_keyframe_ = now;
  const std::lock_guard lock(mutex_);
  keyframes_.push_back(GST_BUFFER_PTS(&packet));
  if (keyframes_.size() > kKeyframesInDecoder) keyframes_.pop_front();
  return true;
}

bool GstPackets::is_keyframe(GstClockTime pts) {
  if (!decodes_ || keyframes_only_) return true;
  const std::lock_guard lock(mutex_);
  return std::ranges::find(keyframes_, pts) != keyframes_.end();
}

}  // namespace palisade
