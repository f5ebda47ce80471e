#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

namespace palisade {

// Relates the RTCP sender reports of an RTP stream to its packets. GStreamer's own result is not used: it
// ignores reports that come before the first packet or differ much from it, and loses the time of pictures
// that consist of several packets. GStreamer's threads write, the source's thread reads.
class GstReports {
 public:
  // One or more RTCP packets as received. All but sender reports are ignored.
  void note_rtcp(std::span<const std::uint8_t> bytes);
  // An RTP packet's header and its pts. `clock_rate`: RTP timestamp units a second.
  void note_rtp(std::span<const std::uint8_t> header, std::chrono::nanoseconds pts, int clock_rate);
  // The sender's time since 1970 minus pts, by the latest report; nothing before the first report.
  std::optional<std::chrono::nanoseconds> sent_less_pts() const;

 private:
  struct Report {
    std::uint32_t source = 0;     // SSRC
    std::uint32_t timestamp = 0;  // RTP timestamp
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
  bool own_ = false;  // a report with the packets' SSRC has come; others are ignored from then on
};

}  // namespace palisade
