#include "ingest/gstreamer/gst_reports.h"

#include <cstddef>

namespace palisade {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kFrom1900 = std::chrono::seconds(2'208'988'800);  // from 1900 to 1970
constexpr std::size_t kRtpHeader = 12;
constexpr std::size_t kReport = 20;  // bytes up to and including the RTP timestamp
constexpr int kSenderReport = 200;

std::uint32_t word_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  return std::uint32_t(bytes[at]) << 24 | std::uint32_t(bytes[at + 1]) << 16 |
         std::uint32_t(bytes[at + 2]) << 8 | std::uint32_t(bytes[at + 3]);
}

// Converts an NTP timestamp: seconds since 1900 and a 32-bit fraction.
nanoseconds since_1970(std::uint32_t seconds, std::uint32_t fraction) {
  const nanoseconds part(std::int64_t(std::uint64_t(fraction) * 1'000'000'000 >> 32));
  return std::chrono::seconds(seconds) + part - kFrom1900;
}

}  // namespace

void GstReports::note_rtcp(std::span<const std::uint8_t> bytes) {
  while (bytes.size() >= 4) {
    const std::size_t size = (std::size_t(bytes[2]) << 8 | bytes[3]) * 4 + 4;
    if (bytes[0] >> 6 != 2 || size > bytes.size()) return;
    if (bytes[1] == kSenderReport && size >= kReport) {
      const Report report{word_at(bytes, 4), word_at(bytes, 16),
                          since_1970(word_at(bytes, 8), word_at(bytes, 12))};
      const std::lock_guard lock(mutex_);
      const bool own = packet_ && packet_->source == report.source;
      if (own || !own_) report_ = report;
      own_ = own_ || own;
    }
    bytes = bytes.subspan(size);
  }
}

void GstReports::note_rtp(std::span<const std::uint8_t> header, nanoseconds pts, int clock_rate) {
  if (header.size() < kRtpHeader || clock_rate <= 0) return;
  const Packet packet{word_at(header, 8), word_at(header, 4), pts, clock_rate};
  const std::lock_guard lock(mutex_);
  // A restarted sender has a new SSRC and counts from another timestamp.
  if (packet_ && packet_->source != packet.source) {
    if (report_ && report_->source != packet.source) report_.reset();
    own_ = false;
  }
  packet_ = packet;
}

std::optional<nanoseconds> GstReports::sent_less_pts() const {
  const std::lock_guard lock(mutex_);
  if (!report_ || !packet_) return std::nullopt;
  // Timestamps wrap around, so the difference is taken modulo 2^32, as a signed number.
  const auto since = std::int64_t(std::int32_t(packet_->timestamp - report_->timestamp));
  return report_->sent + nanoseconds(since * 1'000'000'000 / packet_->clock_rate) - packet_->pts;
}

}  // namespace palisade
