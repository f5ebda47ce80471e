#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "ingest/feed.h"
#include "ingest/feed_report.h"

namespace palisade {

// What crosses between a service and the process of one of its cameras: settings and a stop in, clips,
// reports and counters out. Each message is its size (4 bytes, without itself), its kind (1 byte) and its
// values.
enum class FeedMessage : std::uint8_t {
  kOptions,      // version, FeedOptions: the first one
  kStop,         // no values
  kImage,        // number, width, height, samples: sent once, however many clips it is in
  kSharedImage,  // the same without samples; a descriptor of sealed memory comes with it
  kForget,       // numbers of images that no later clip has
  kClip,         // sampling, clip with the numbers of its images
  kReport,       // FeedReport
  kConnections,  // no values; with it comes the descriptor that tells of the connections it asks for
  kConfined,     // text: what of its powers was taken away
  kFrames,       // how many frames were seen so far; also a sign of life
  kFinished,     // the feed has ended by itself; no values
  kWatch,        // somebody looks at it (ClipFeed::watch); no values; from the service
};
inline constexpr std::uint32_t kFeedWireVersion = 4;
inline constexpr std::size_t kMaxMessageBytes = 64u << 20;

// A message whole, to be written to the socket.
std::string wire_message(FeedMessage kind, std::string_view values = {});

std::string wire_options(const FeedOptions& options);
FeedOptions read_wire_options(std::string_view values);
std::string wire_report(const FeedReport& report);
FeedReport read_wire_report(std::string_view values);
std::string wire_text(std::string_view text);
std::string read_wire_text(std::string_view values);
std::string wire_count(std::uint64_t count);
std::uint64_t read_wire_count(std::string_view values);

// Takes messages out of a stream of bytes. Throws WireError where one is too large or of no known kind.
class FeedMessageReader {
 public:
  explicit FeedMessageReader(std::size_t most_bytes = kMaxMessageBytes) : most_bytes_(most_bytes) {}
  void take(std::string_view bytes) { buffer_ += bytes; }
  std::optional<std::pair<FeedMessage, std::string>> next();

 private:
  const std::size_t most_bytes_;  // of a message
  std::string buffer_;
  std::size_t at_ = 0;
};

}  // namespace palisade
