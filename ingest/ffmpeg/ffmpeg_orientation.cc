#include "ingest/ffmpeg/ffmpeg_orientation.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/format.h"
#include "ingest/source/display_matrix.h"

extern "C" {
#include <libavutil/display.h>
}

namespace palisade {
namespace {

SeiOrientation messages_of(const AVCodecParameters& codec) {
  const auto extra = std::as_bytes(std::span(codec.extradata, std::size_t(codec.extradata_size)));
  if (codec.codec_id == AV_CODEC_ID_H264)
    return SeiOrientation::of_extra_data(SeiOrientation::Codec::kH264, extra);
  if (codec.codec_id == AV_CODEC_ID_HEVC)
    return SeiOrientation::of_extra_data(SeiOrientation::Codec::kH265, extra);
  return {};
}

const std::uint8_t* matrix_of(const AVStream& video) {
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 102)
  const AVCodecParameters& codec = *video.codecpar;
  const AVPacketSideData* const found =
      av_packet_side_data_get(codec.coded_side_data, codec.nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
  return found != nullptr && found->size >= 9 * sizeof(std::int32_t) ? found->data : nullptr;
#else
  std::size_t size = 0;
  const std::uint8_t* const data = av_stream_get_side_data(&video, AV_PKT_DATA_DISPLAYMATRIX, &size);
  return size >= 9 * sizeof(std::int32_t) ? data : nullptr;
#endif
}

// Attaches a value that the decoder passes on from a packet to its picture.
void attach(AVCodecContext& codec, const AVPacket& packet, std::int64_t value) {
#if LIBAVCODEC_VERSION_MAJOR >= 61
  codec.flags |= AV_CODEC_FLAG_COPY_OPAQUE;
  const_cast<AVPacket&>(packet).opaque = reinterpret_cast<void*>(std::intptr_t(value));
#else
  (void)packet;
  codec.reordered_opaque = value;
#endif
}

std::int64_t attached(const AVFrame& frame) {
#if LIBAVCODEC_VERSION_MAJOR >= 61
  return std::int64_t(reinterpret_cast<std::intptr_t>(frame.opaque));
#else
  return frame.reordered_opaque;
#endif
}

}  // namespace

FfmpegOrientation::FfmpegOrientation(const AVStream& video)
    : has_messages_(video.codecpar->codec_id == AV_CODEC_ID_H264 ||
                    video.codecpar->codec_id == AV_CODEC_ID_HEVC),
      messages_(messages_of(*video.codecpar)) {
  if (const std::uint8_t* const matrix = matrix_of(video)) container_ = of_matrix(matrix);
}

// FFmpeg's numbers are those of QuickTime: 16.16, columns first.
Orientation FfmpegOrientation::of_matrix(const std::uint8_t* bytes) {
  std::array<std::int32_t, 9> numbers;
  std::memcpy(numbers.data(), bytes, sizeof numbers);
  const DisplayMatrix matrix{double(numbers[0]), double(numbers[3]), double(numbers[1]), double(numbers[4])};
  if (!matrix.straight()) {
    const double angle = -av_display_rotation_get(numbers.data());
    remark_ = std::isfinite(angle)
                  ? format("its picture is to be turned by {} degrees: it is turned by the nearest quarter",
                           std::lround(angle))
                  : "says in no way that has a meaning how its picture is to be turned";
  }
  return matrix.orientation();
}

void FfmpegOrientation::note_packet(AVCodecContext& codec, const AVPacket& packet) {
  const auto data = std::as_bytes(std::span(packet.data, std::size_t(packet.size)));
  const std::optional<Orientation> said = messages_.next(data);
  attach(codec, packet, said ? int(*said) : 0);
}

Orientation FfmpegOrientation::of(const AVFrame& frame) {
  const std::int64_t said = attached(frame);
  if (said >= 1 && said <= 8) return Orientation(int(said));
  if (has_messages_) return container_;
  const AVFrameSideData* const own = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
  if (own == nullptr || own->size < 9 * sizeof(std::int32_t)) return container_;
  return of_matrix(own->data);
}

}  // namespace palisade
