#include "ingest/gstreamer/gst_picture.h"

#include <gst/video/video.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "ingest/ffmpeg/ffmpeg_planes.h"
#include "ingest/source/source.h"

namespace palisade {
namespace {

// Pixel formats with GStreamer's and FFmpeg's names. videoconvert converts all others to the first of these.
constexpr std::array<std::pair<const char*, const char*>, 29> kSharedFormats = {{
    {"RGB", "rgb24"},
    {"BGR", "bgr24"},
    {"RGBA", "rgba"},
    {"BGRA", "bgra"},
    {"ARGB", "argb"},
    {"ABGR", "abgr"},
    {"RGBx", "rgb0"},
    {"BGRx", "bgr0"},
    {"xRGB", "0rgb"},
    {"xBGR", "0bgr"},
    {"GBR", "gbrp"},
    {"GRAY8", "gray"},
    {"I420", "yuv420p"},
    {"Y42B", "yuv422p"},
    {"Y444", "yuv444p"},
    {"Y41B", "yuv411p"},
    {"NV12", "nv12"},
    {"NV21", "nv21"},
    {"NV16", "nv16"},
    {"YUY2", "yuyv422"},
    {"UYVY", "uyvy422"},
    {"YVYU", "yvyu422"},
    {"I420_10LE", "yuv420p10le"},
    {"I422_10LE", "yuv422p10le"},
    {"Y444_10LE", "yuv444p10le"},
    {"I420_12LE", "yuv420p12le"},
    {"I422_12LE", "yuv422p12le"},
    {"Y444_12LE", "yuv444p12le"},
    {"P010_10LE", "p010le"},
}};

const char* ffmpeg_name_of(const GstVideoInfo& info) {
  const std::string_view name = GST_VIDEO_INFO_NAME(&info);
  for (const auto& [gstreamer, ffmpeg] : kSharedFormats) {
    if (name == gstreamer) return ffmpeg;
  }
  throw BadPicture("its pixel format cannot be converted to RGB");
}

// Reads the caps directly, because GstVideoInfo replaces missing values by guesses.
void tell_colours(Planes& planes, const GstCaps& caps) {
  const char* const text = gst_structure_get_string(gst_caps_get_structure(&caps, 0), "colorimetry");
  GstVideoColorimetry colours;
  if (text == nullptr || !gst_video_colorimetry_from_string(&colours, text)) return;
  planes.matrix = std::uint8_t(gst_video_color_matrix_to_iso(colours.matrix));
  if (colours.range != GST_VIDEO_COLOR_RANGE_UNKNOWN)
    planes.full_range = colours.range == GST_VIDEO_COLOR_RANGE_0_255;
}

// Maps a buffer's picture into memory as long as this object exists.
class MappedPicture {
 public:
  MappedPicture(GstVideoInfo& info, GstBuffer& buffer) {
    if (!gst_video_frame_map(&frame_, &info, &buffer, GST_MAP_READ))
      throw BadPicture("a picture cannot be read");
  }
  ~MappedPicture() { gst_video_frame_unmap(&frame_); }
  MappedPicture(const MappedPicture&) = delete;
  MappedPicture& operator=(const MappedPicture&) = delete;

  void set_planes(Planes& planes) const {
    for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES(&frame_) && i < planes.data.size(); ++i) {
      planes.data[i] = static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame_, i));
      planes.strides[i] = GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, i);
    }
  }

 private:
  GstVideoFrame frame_;
};

// H.265 streams of single fields have an interlace mode of their own and are not deinterlaced.
bool says_interlaced(GstSample& sample) {
  const GstCaps* const caps = gst_sample_get_caps(&sample);
  const char* const mode =
      caps != nullptr ? gst_structure_get_string(gst_caps_get_structure(caps, 0), "interlace-mode") : nullptr;
  if (mode == nullptr) return false;
  if (std::string_view(mode) == "interleaved") return true;
  const GstBuffer* const buffer = gst_sample_get_buffer(&sample);
  return std::string_view(mode) == "mixed" &&
         GST_BUFFER_FLAG_IS_SET(buffer, GST_VIDEO_BUFFER_FLAG_INTERLACED);
}

Av<AVFrame> frame_of(GstSample& sample, int max_pixels) {
  GstCaps* const caps = gst_sample_get_caps(&sample);
  GstBuffer* const buffer = gst_sample_get_buffer(&sample);
  GstVideoInfo info;
  if (caps == nullptr || !gst_video_info_from_caps(&info, caps)) throw BadPicture("gives no raw pictures");
  const int width = GST_VIDEO_INFO_WIDTH(&info);
  const int height = GST_VIDEO_INFO_HEIGHT(&info);
  const bool fits = width > 0 && height > 0 && width <= kMaxSide && height <= kMaxSide &&
                    std::int64_t(width) * height <= max_pixels;
  if (!fits) throw BadPicture("its pictures are over the size limit");
  Planes planes{
      .format = ffmpeg_name_of(info),
      .width = width,
      .height = height,
      .interlaced = says_interlaced(sample),
      .top_field_first = GST_BUFFER_FLAG_IS_SET(buffer, GST_VIDEO_BUFFER_FLAG_TFF) ||
                         GST_VIDEO_INFO_FIELD_ORDER(&info) == GST_VIDEO_FIELD_ORDER_TOP_FIELD_FIRST};
  tell_colours(planes, *caps);
  const MappedPicture mapped(info, *buffer);
  mapped.set_planes(planes);
  return frame_of_planes(planes);
}

}  // namespace

Gst<GstCaps> GstPicture::caps() {
  std::string text = "video/x-raw,format=(string){";
  const char* separator = " ";
  for (const auto& [gstreamer, ffmpeg] : kSharedFormats) {
    text += separator + std::string(gstreamer);
    separator = ", ";
  }
  return Gst<GstCaps>(gst_caps_from_string((text + " }").c_str()));
}

void GstPicture::see(GstSample& sample, int max_pixels) {
  if (says_interlaced(sample)) {
    seen_ = frame_of(sample, max_pixels);
    deinterlacer_.see(*seen_);
  } else if (seen_ != nullptr) {
    seen_.reset();
    deinterlacer_ = {};
  }
}

Image GstPicture::image_of(GstSample& sample, int max_pixels) {
  if (seen_ != nullptr) return rgb_.convert(deinterlacer_.progressive(*seen_));
  return rgb_.convert(*frame_of(sample, max_pixels));
}

}  // namespace palisade
