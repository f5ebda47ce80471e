#pragma once

#include <doctest/doctest.h>

extern "C" {
#include <libavformat/avformat.h>
}

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace palisade::test {

// A clip's video, repeated `times` times, with a picture every 100 ms, as MPEG transport stream or in another
// of FFmpeg's formats. `tracks`: the number of tracks, each with the same video.
inline std::string transport_stream(const std::string& clip, int times, const char* format = "mpegts",
                                    int tracks = 1) {
  AVFormatContext* out = nullptr;
  REQUIRE(avformat_alloc_output_context2(&out, nullptr, format, nullptr) >= 0);
  REQUIRE(avio_open_dyn_buf(&out->pb) >= 0);
  AVPacket* packet = av_packet_alloc();
  int number = 0;
  std::int64_t first = 0;
  std::int64_t start = 0;  // of this round
  std::int64_t end = 0;
  for (int round = 0; round < times; ++round) {
    AVFormatContext* in = nullptr;
    REQUIRE(avformat_open_input(&in, clip.c_str(), nullptr, nullptr) >= 0);
    REQUIRE(avformat_find_stream_info(in, nullptr) >= 0);
    const int video = av_find_best_stream(in, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
    REQUIRE(video >= 0);
    for (int track = 0; round == 0 && track < tracks; ++track) {
      AVStream* stream = avformat_new_stream(out, nullptr);
      avcodec_parameters_copy(stream->codecpar, in->streams[video]->codecpar);
      stream->codecpar->codec_tag = 0;
      stream->time_base = {1, 90'000};
    }
    if (round == 0) REQUIRE(avformat_write_header(out, nullptr) >= 0);
    while (av_read_frame(in, packet) >= 0) {
      if (packet->stream_index == video) {
        av_packet_rescale_ts(packet, in->streams[video]->time_base, {1, 90'000});
        if (std::exchange(number, number + 1) == 0) first = packet->dts;
        packet->pts += start - first;
        packet->dts += start - first;
        end = std::max(end, packet->pts + 9'000);
        for (int track = 0; track < tracks; ++track) {
          AVPacket* copy = av_packet_clone(packet);
          copy->stream_index = track;
          copy->pos = -1;
          av_packet_rescale_ts(copy, {1, 90'000}, out->streams[track]->time_base);
          REQUIRE(av_write_frame(out, copy) >= 0);
          av_packet_free(&copy);
        }
      }
      av_packet_unref(packet);
    }
    avformat_close_input(&in);
    start = end;
  }
  av_write_trailer(out);
  av_packet_free(&packet);
  std::uint8_t* bytes = nullptr;
  const int size = avio_close_dyn_buf(out->pb, &bytes);
  std::string text(reinterpret_cast<const char*>(bytes), std::size_t(size));
  av_free(bytes);
  avformat_free_context(out);
  return text;
}

// A test's replacement for the timestamp of picture `number`, from 0 in display order; nothing removes the
// timestamp.
using Retime = std::function<std::optional<std::int64_t>(std::int64_t number, std::int64_t pts)>;

// The transport stream with other timestamps, most of which a muxer would refuse to write.
inline std::string retimed(std::string stream, const Retime& retime) {
  constexpr std::size_t kPacket = 188;
  std::optional<std::int64_t> first;
  const auto time_at = [](const std::uint8_t* at) {
    return std::int64_t(at[0] >> 1 & 7) << 30 | std::int64_t(at[1]) << 22 | std::int64_t(at[2] >> 1) << 15 |
           std::int64_t(at[3]) << 7 | at[4] >> 1;
  };
  const auto put_time = [](std::uint8_t* at, std::int64_t time) {
    at[0] = std::uint8_t((at[0] & 0xf1) | (time >> 30 & 7) << 1);
    at[1] = std::uint8_t(time >> 22);
    at[2] = std::uint8_t((time >> 15 & 0x7f) << 1 | 1);
    at[3] = std::uint8_t(time >> 7);
    at[4] = std::uint8_t((time & 0x7f) << 1 | 1);
  };
  for (std::size_t at = 0; at + kPacket <= stream.size(); at += kPacket) {
    auto* packet = reinterpret_cast<std::uint8_t*>(stream.data()) + at;
    if ((packet[1] & 0x40) == 0) continue;  // not the first of a picture
    std::uint8_t* pes = packet + 4 + ((packet[3] & 0x20) != 0 ? 1 + packet[4] : 0);
    if (pes[0] != 0 || pes[1] != 0 || pes[2] != 1 || (pes[7] & 0x80) == 0) continue;
    const std::int64_t pts = time_at(pes + 9);
    if (!first) first = pts;
    if (const auto other = retime((pts - *first + 4'500) / 9'000, pts)) {
      put_time(pes + 9, *other);
      if ((pes[7] & 0x40) != 0) put_time(pes + 14, time_at(pes + 14) + *other - pts);
    } else {
      pes[7] &= 0x3f;
      std::fill_n(pes + 9, pes[8], std::uint8_t(0xff));  // stuffing
    }
  }
  REQUIRE(first.has_value());
  return stream;
}

}  // namespace palisade::test
