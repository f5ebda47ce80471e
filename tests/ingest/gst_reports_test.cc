#include "ingest/gstreamer/gst_reports.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using namespace palisade;
using namespace std::chrono_literals;

namespace {

using Bytes = std::vector<std::uint8_t>;

void put(Bytes& bytes, std::uint64_t value, int size) {
  for (int i = size - 1; i >= 0; --i) bytes.push_back(std::uint8_t(value >> (8 * i)));
}

Bytes report(std::uint32_t source, std::chrono::seconds since_1970, std::uint32_t timestamp) {
  Bytes bytes = {0x80, 200, 0, 6};
  put(bytes, source, 4);
  put(bytes, std::uint64_t(since_1970.count()) + 2'208'988'800, 4);
  put(bytes, 0x80000000, 4);  // half a second
  put(bytes, timestamp, 4);
  put(bytes, 0, 8);
  return bytes;
}

Bytes packet(std::uint32_t source, std::uint32_t timestamp) {
  Bytes bytes = {0x80, 96, 0, 1};
  put(bytes, timestamp, 4);
  put(bytes, source, 4);
  return bytes;
}

constexpr std::chrono::seconds kNow{1'795'424'724};

}  // namespace

TEST_CASE("a report tells the sender's time of every pts, whichever comes first, packet or report") {
  for (const bool report_first : {true, false}) {
    GstReports reports;
    if (report_first) reports.note_rtcp(report(7, kNow, 90'000));
    reports.note_rtp(packet(7, 180'000), 5s, 90'000);
    if (!report_first) {
      CHECK_FALSE(reports.sent_less_pts());
      reports.note_rtcp(report(7, kNow, 90'000));
    }
    // A second after the report's, which was at half past.
    CHECK(reports.sent_less_pts() == kNow + 1500ms - 5s);
    reports.note_rtp(packet(7, 225'000), 5500ms, 90'000);
    CHECK(reports.sent_less_pts() == kNow + 1500ms - 5s);
  }
}

TEST_CASE("reports far from the packets, and timestamps that wrap, are taken as they are") {
  for (const std::uint32_t timestamp : {90'000u * 600, 0u - 90'000u * 600}) {
    GstReports reports;
    reports.note_rtp(packet(7, 0), 0s, 90'000);
    reports.note_rtcp(report(7, kNow, timestamp));
    CHECK(reports.sent_less_pts() == kNow + 500ms - (timestamp < 1u << 31 ? 600s : -600s));
  }
}

TEST_CASE("another source's reports count until the stream's own come, and not once the stream is another") {
  GstReports reports;
  reports.note_rtp(packet(7, 0), 0s, 90'000);
  reports.note_rtcp(report(8, kNow + 1h, 0));
  CHECK(reports.sent_less_pts() == kNow + 1h + 500ms);
  reports.note_rtcp(report(7, kNow, 0));
  reports.note_rtcp(report(8, kNow + 2h, 0));
  CHECK(reports.sent_less_pts() == kNow + 500ms);
  reports.note_rtp(packet(9, 77), 1s, 90'000);
  CHECK_FALSE(reports.sent_less_pts());
  reports.note_rtcp(report(9, kNow + 1s, 77));
  CHECK(reports.sent_less_pts() == kNow + 500ms);
}

TEST_CASE("a report is found among others of one packet, and bytes that are none change nothing") {
  GstReports reports;
  reports.note_rtp(packet(7, 0), 0s, 90'000);
  Bytes several = {0x81, 202, 0, 2, 0, 0, 0, 7, 1, 2, 'a', 'b'};
  const Bytes own = report(7, kNow, 0);
  several.insert(several.end(), own.begin(), own.end());
  reports.note_rtcp(several);
  CHECK(reports.sent_less_pts() == kNow + 500ms);
  std::minstd_rand random{11};
  for (int i = 0; i < 20'000; ++i) {
    Bytes noise(random() % 64);
    for (std::uint8_t& byte : noise) byte = std::uint8_t(random());
    if (noise.size() > 1 && i % 2 == 0) noise[0] = 0x80, noise[1] = 201;
    if (noise.size() > 1 && noise[1] == 200) continue;
    reports.note_rtcp(noise);
  }
  for (std::size_t size = 0; size < own.size(); ++size) reports.note_rtcp(std::span(own).first(size));
  reports.note_rtp(std::span(own).first(11), 1s, 90'000);
  reports.note_rtp(packet(7, 1), 1s, 0);
  CHECK(reports.sent_less_pts() == kNow + 500ms);
}
