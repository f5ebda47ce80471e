#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.h"
#include "frames/clip.h"
#include "ingest/feed.h"

namespace palisade {

// Messages one after another, and the memory of the images among them that have no samples of their own, in
// the same order.
struct ClipMessages {
  std::string bytes;
  std::vector<Descriptor> memory;
};

// Clips as messages (feed_wire.h). One thread's.
class ClipSender {
 public:
  // All messages that it takes. `share`: images go through memory that both processes have.
  ClipMessages messages_of(const Clip& clip, std::uint32_t sampling, bool share);

 private:
  std::uint64_t send(const Image& image, bool share, ClipMessages& messages);

  struct Sent {
    std::uint64_t number = 0;
    std::weak_ptr<const void> lifetime;
  };
  std::map<const void*, Sent> sent_;  // by Image::identity()
  std::uint64_t last_ = 0;
};

// And back: clips that share a frame share its image again. Takes nothing but what a Feed of these options
// gives. One thread's. All throw WireError.
class ClipReceiver {
 public:
  struct Received {
    Clip clip;
    std::uint32_t sampling = 0;
  };
  explicit ClipReceiver(const FeedOptions& options);

  void take_image(std::string_view values);
  void take_shared_image(std::string_view values, const Descriptor& memory);
  void forget(std::string_view values);
  Received clip(std::string_view values) const;

 private:
  void keep(std::uint64_t number, Image image);
  const Image& image(std::uint64_t number) const;

  const std::string stream_;
  const std::vector<Sampling> samplings_;
  const int image_size_;
  const std::size_t most_images_;  // that clips to come may share
  std::map<std::uint64_t, Image> images_;
};

}  // namespace palisade
