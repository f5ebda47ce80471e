#pragma once

#include <doctest/doctest.h>

extern "C" {
#include <libavformat/avformat.h>
}

#include <functional>
#include <string>

namespace palisade::test {

// What a test does to one packet: number counts from 0; false leaves it out.
using Edit = std::function<bool(int number, AVPacket& packet)>;

// A clip's video, `times` over, one picture every 100 ms, with `edit`'s faults, as a transport stream (or
// another of FFmpeg's formats). `tracks`: the same video so many times beside one another.
inline std::string transport_stream(const std::string& clip, int times, const Edit& edit,
                                    const char* format = "mpegts", int tracks = 1) {
  AVFormatContext* out = nullptr;
  REQUIRE(avformat_alloc_output_context2(&out, nullptr, format, nullptr) >= 0);
  REQUIRE(avio_open_dyn_buf(&out->pb) >= 0);
  AVPacket* packet = av_packet_alloc();
  int number = 0;
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
        packet->pts = packet->dts = 9'000 * std::int64_t(number);  // no B frames
        const bool wanted = edit(number++, *packet);
        for (int track = 0; wanted && track < tracks; ++track) {
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

}  // namespace palisade::test
