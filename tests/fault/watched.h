#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "ingest/feed.h"
#include "ingest/feed_process.h"
#include "tests/ingest/feed_log.h"

namespace palisade::test {

// Tests run with both readers, which must report a camera's faults in the same way.
inline constexpr std::array kReaders = {RtspReader::kFfmpeg, RtspReader::kGstreamer};

inline std::string name_of(RtspReader reader) {
  return reader == RtspReader::kFfmpeg ? "ffmpeg" : "gstreamer";
}

// Options with short timeouts and short pauses between attempts.
inline FeedOptions impatient(const std::string& url, RtspReader reader,
                             RtspTransport transport = RtspTransport::kTcp) {
  FeedOptions options;
  options.stream = name_of(reader) + (transport == RtspTransport::kUdp ? "_udp" : "");
  options.source = {.url = url,
                    .transport = transport,
                    .reader = reader,
                    .open_timeout = std::chrono::milliseconds(5'000),
                    .stall_timeout = std::chrono::milliseconds(1'000),
                    .keyframe_timeout = std::chrono::milliseconds(3'000)};
  options.samplings = {
      {.count = 4, .span = std::chrono::milliseconds(600), .stride = std::chrono::milliseconds(800)}};
  options.image_size = 28;
  options.retry.first = std::chrono::milliseconds(200);
  options.retry.longest = std::chrono::milliseconds(1'000);
  return options;
}

// In this process, or in one of its own: every fault is the same to both, and the tests are run for both.
inline std::unique_ptr<ClipFeed> feed_of(FeedOptions options, FeedLog& log) {
  if (std::getenv("PALISADE_TEST_PROCESSES") == nullptr)
    return std::make_unique<Feed>(std::move(options), log.on_clip(), log.on_report());
  return std::make_unique<FeedProcess>(std::move(options), log.on_clip(), log.on_report(),
                                       FeedProcessOptions{.program = PALISADE_PROGRAM});
}

// A feed with a log of its clips and reports.
struct WatchedFeed {
  explicit WatchedFeed(FeedOptions feed_options)
      : options(feed_options), feed(feed_of(std::move(feed_options), log)) {}
  FeedOptions options;
  FeedLog log;
  std::unique_ptr<ClipFeed> feed;
};
using WatchedFeeds = std::vector<std::unique_ptr<WatchedFeed>>;

inline WatchedFeeds watch_with_both(const std::string& url, RtspTransport transport = RtspTransport::kTcp) {
  WatchedFeeds all;
  for (const RtspReader reader : kReaders)
    all.push_back(std::make_unique<WatchedFeed>(impatient(url, reader, transport)));
  return all;
}

// Checks that the frames of a window are as far apart as the sampling asks, so that none is missing and none
// is from before a jump. `interval`: between two frames of the camera.
inline void check_windows(const FeedLog::Clips& clips, std::chrono::milliseconds interval) {
  for (const auto& [index, clip] : clips) {
    for (std::size_t i = 1; i < clip.frames.size(); ++i) {
      const MediaTime step = clip.frames[i].stamp.pts - clip.frames[i - 1].stamp.pts;
      const MediaTime asked = MediaTime(clip.sampling.span) / (clip.sampling.count - 1);
      CHECK(step >= asked - interval);
      CHECK(step <= asked + interval);
      CHECK_FALSE(clip.frames[i].stamp.corrupt);
    }
  }
}

}  // namespace palisade::test
