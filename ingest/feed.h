#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "frames/clip.h"
#include "frames/region.h"
#include "frames/resize.h"
#include "ingest/clip_feed.h"
#include "ingest/feed_report.h"
#include "ingest/open_source.h"
#include "ingest/source/source.h"

namespace palisade {

// Pauses between attempts: `first`, doubled up to `longest`, each spread by 20 %. They start again after
// `stable` online.
struct RetryPauses {
  std::chrono::milliseconds first{1'000};
  std::chrono::milliseconds longest{60'000};
  std::chrono::milliseconds stable{30'000};
  std::chrono::milliseconds after_auth_failure{60'000};
};

struct FeedOptions {
  std::string stream;
  SourceOptions source;
  std::vector<Sampling> samplings;
  int image_size = 224;  // the model's square
  ResizePreset resize = ResizePreset::kHfBicubic;
  std::vector<Polygon> masks;  // painted black before anything sees the picture
  bool make_views = false;     // of the last frame of each clip: Frame::view
  // Pictures for people between the windows: clips of one frame, of the sampling behind the last one. See
  // Glimpses.
  bool glimpses = false;
  bool watch_motion = false;    // for Clip::moving; a motion sampling watches in any case
  std::vector<Polygon> region;  // where motion is watched for; empty: everywhere
  RetryPauses retry;
  bool pace = false;  // deliver a file at the speed of its pts, as a camera would
  // Read a file again and again, as one film without an end (see Turns). The feed stays online in between.
  bool loop = false;
};

// One stream's thread: opens, reads, samples, reports, and opens again after growing pauses. Owns its
// Samplers and its Source, which reads on a thread of its own (ingest/apart.h). Callbacks run on the feed's
// thread without a lock and must not block.
class Feed : public ClipFeed {
 public:
  using OnClip = std::function<void(Clip clip, std::size_t sampling_index)>;
  using OnReport = std::function<void(const FeedReport&)>;
  // Opens a source; replaced in tests.
  using Open = std::function<std::unique_ptr<Source>(const SourceOptions&, std::stop_token)>;

  Feed(FeedOptions options, OnClip on_clip, OnReport on_report, Open open = open_source);
  ~Feed() override;  // stops and joins within kPatience (ingest/apart.h)

  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  void request_stop() override;
  std::uint64_t frames_seen() const override;
  bool ended() const override;
  void watch() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::jthread thread_;
};

}  // namespace palisade
