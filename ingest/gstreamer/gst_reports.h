#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

namespace palisade {

// Puts the RTCP sender reports of one RTP stream and its packets together, whatever GStreamer makes of them:
// it drops reports that come before the first packet or are far from it, and loses their time where a picture
// is put together from several packets. Written by GStreamer's threads, read by the source's.
class GstReports {
 public:
  // RTCP as it came: one packet, or several in a row. What is no sender report is passed over.
  void note_rtcp(std::span<const std::uint8_t> bytes);
  // An RTP packet's header, and the pts that it was given. `clock_rate` is of its timestamps.
  void note_rtp(std::span<const std::uint8_t> header, std::chrono::nanoseconds pts, int clock_rate);
  // The sender's time, since 1970, less pts, as the latest report tells; nothing before the first one.
  std::optional<std::chrono::nanoseconds> sent_less_pts() const;

 private:
  struct Report {
    std::uint32_t source = 0;     // SSRC
    std::uint32_t timestamp = 0;  // on the scale of the packets'
    std::chrono::nanoseconds sent{0};
  };
  struct Packet {
    std::uint32_t source = 0;
    std::uint32_t timestamp = 0;
    std::chrono::nanoseconds pts{0};
    int clock_rate = 0;
  };

  mutable std::mutex mutex_;
  // All below is guarded by mutex_.
  std::optional<Report> report_;
  std::optional<Packet> packet_;
  bool own_ = false;  // reports of the packets' own source have come: those of others are not theirs
};

}  // namespace palisade
