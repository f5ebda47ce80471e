#include "ingest/clip_wire.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <random>

#include "frames/view.h"
#include "ingest/feed_wire.h"
#include "ingest/shared_samples.h"
#include "ingest/wire_bytes.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

constexpr int kSize = 4;
constexpr std::size_t kSamples = kSize * kSize * 3;

FeedOptions wire_options_of_two() {
  return {.stream = "front_door", .samplings = {{.count = 3}, {.count = 3}}, .image_size = kSize};
}

Image small_image(int value) {
  return {kSize, kSize, std::vector<std::uint8_t>(kSamples, std::uint8_t(value))};
}

Frame wire_frame(Image image, int number) {
  return {.stamp = {.number = std::uint64_t(number),
                    .pts = 40ms * number,
                    .wall = WallTime(1'000s + 1ms * number),
                    .time_source = TimeSource::kRtcp,
                    .time_uncertainty = 3ms,
                    .keyframe = true,
                    .corrupt = number == 2,
                    .jumped = true},
          .stream = "front_door",
          .source_width = 640,
          .source_height = 360,
          .image = std::move(image),
          .motion = 0.5 * number};
}

// What a receiver makes of messages, given in pieces.
struct Taken {
  std::vector<ClipReceiver::Received> clips;
  int images = 0, forgotten = 0;
};
void take(FeedMessage kind, const std::string& values, std::deque<Descriptor>& memory, ClipReceiver& receiver,
          Taken& result) {
  if (kind == FeedMessage::kImage) receiver.take_image(values), ++result.images;
  if (kind == FeedMessage::kSharedImage) {
    if (memory.empty()) throw WireError("no memory");
    receiver.take_shared_image(values, memory.front()), ++result.images;
    memory.pop_front();
  }
  if (kind == FeedMessage::kForget) receiver.forget(values), ++result.forgotten;
  if (kind == FeedMessage::kClip) result.clips.push_back(receiver.clip(values));
}
Taken taken(ClipMessages messages, std::size_t piece = 1000) {
  Taken result;
  FeedMessageReader reader;
  ClipReceiver receiver(wire_options_of_two());
  std::deque<Descriptor> memory(std::make_move_iterator(messages.memory.begin()),
                                std::make_move_iterator(messages.memory.end()));
  for (std::size_t at = 0; at < messages.bytes.size(); at += piece) {
    reader.take(std::string_view(messages.bytes).substr(at, piece));
    while (auto message = reader.next()) take(message->first, message->second, memory, receiver, result);
  }
  CHECK(memory.empty());
  return result;
}

ClipMessages joined(ClipMessages one, ClipMessages other) {
  one.bytes += other.bytes;
  std::ranges::move(other.memory, std::back_inserter(one.memory));
  return one;
}

void check_same(const Frame& got, const Frame& sent) {
  CHECK(std::ranges::equal(got.image.bytes(), sent.image.bytes()));
  CHECK(got.image.is_float() == sent.image.is_float());
  CHECK(got.stream == sent.stream);
  CHECK(got.stamp.pts == sent.stamp.pts);
  CHECK(got.stamp.wall == sent.stamp.wall);
  CHECK(got.stamp.time_uncertainty == sent.stamp.time_uncertainty);
  CHECK(got.stamp.corrupt == sent.stamp.corrupt);
  CHECK(got.motion == sent.motion);
  CHECK(got.source_height == sent.source_height);
}

// The message of an image of bytes, without the bytes.
std::string shared_image_values(int size = kSize, bool is_float = false) {
  WireWriter out;
  out.put(std::uint64_t(1));
  out.put(size);
  out.put(size);
  out.put(is_float);
  return out.take();
}

Descriptor memory_of(std::size_t size, unsigned seals, unsigned flags = MFD_ALLOW_SEALING) {
  Descriptor memory(memfd_create("test", MFD_CLOEXEC | flags));
  REQUIRE(ftruncate(memory.number(), off_t(size)) == 0);
  if (seals != 0) REQUIRE(fcntl(memory.number(), F_ADD_SEALS, seals) == 0);
  return memory;
}

constexpr unsigned kAllSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

}  // namespace

TEST_CASE("clips that share frames share their images behind the wire, and each image crosses once") {
  std::vector<Frame> frames;
  for (int i = 0; i < 4; ++i)
    frames.push_back(wire_frame(
        i % 2 == 0 ? small_image(i) : Image(kSize, kSize, std::vector<float>(kSamples, 0.25f * float(i))),
        i));
  const Clip first{.frames = {frames[0], frames[1], frames[2]}, .moving = true, .lost_before = 7};
  const Clip second{.frames = {frames[1], frames[2], frames[3]}, .tiled = true};
  for (const bool share : {false, true}) {
    for (const std::size_t piece : {std::size_t(1), std::size_t(100'000)}) {
      CAPTURE(share);
      ClipSender sender;
      ClipMessages messages = sender.messages_of(first, 0, share);
      messages = joined(std::move(messages), sender.messages_of(second, 1, share));
      CHECK(messages.memory.size() == (share ? 4 : 0));
      const Taken result = taken(std::move(messages), piece);
      CHECK(result.images == 4);
      REQUIRE(result.clips.size() == 2);
      const auto& [one, its_sampling] = result.clips[0];
      const auto& [other, other_sampling] = result.clips[1];
      CHECK(other_sampling == 1);
      CHECK(one.moving == true);
      CHECK_FALSE(other.moving.has_value());
      CHECK(one.lost_before == 7);
      CHECK(one.sampling == wire_options_of_two().samplings[0]);
      CHECK(other.tiled);
      CHECK(one.frames[1].image.identity() == other.frames[0].image.identity());
      for (std::size_t i = 0; i < 3; ++i) check_same(one.frames[i], first.frames[i]);
    }
  }
}

TEST_CASE("a view crosses once with the clips that have it, and what is too large for one is refused") {
  const Image view(kViewWidth, 7, std::vector<std::uint8_t>(kViewWidth * 7 * 3, 9));
  Clip clip{.frames = {wire_frame(small_image(1), 1), wire_frame(small_image(2), 2)}};
  clip.frames[1].view = view;
  ClipSender sender;
  ClipMessages messages = sender.messages_of(clip, 0, false);
  messages = joined(std::move(messages), sender.messages_of(clip, 1, true));
  const Taken result = taken(std::move(messages));
  CHECK(result.images == 3);
  REQUIRE(result.clips.size() == 2);
  for (const auto& [received, sampling] : result.clips) {
    CHECK(received.frames[0].view.empty());
    CHECK(received.frames[1].view.width() == kViewWidth);
    CHECK(std::ranges::equal(received.frames[1].view.bytes(), view.bytes()));
  }
  const auto refused = [&](Image image, Image its_view) {
    Clip bad{.frames = {wire_frame(std::move(image), 1)}};
    bad.frames[0].view = std::move(its_view);
    CHECK_THROWS_AS(taken(ClipSender().messages_of(bad, 0, false)), WireError);
  };
  refused(small_image(1), Image(kViewWidth + 1, 1, std::vector<std::uint8_t>((kViewWidth + 1) * 3)));
  refused(small_image(1), Image(1, kViewHeight + 1, std::vector<std::uint8_t>((kViewHeight + 1) * 3)));
  refused(small_image(1), Image(kSize, kSize, std::vector<float>(kSamples)));
  refused(view, {});  // a view in place of a frame
}

TEST_CASE("images that no later clip can have are forgotten on both sides") {
  ClipSender sender;
  ClipMessages messages;
  for (int i = 0; i < 5'000; ++i)
    messages = joined(std::move(messages),
                      sender.messages_of({.frames = {wire_frame(small_image(i), i)}}, 0, i % 100 == 0));
  const Taken result = taken(std::move(messages));  // a receiver that keeps more than its clips share throws
  CHECK(result.clips.size() == 5'000);
  CHECK(result.forgotten > 4'000);
}

TEST_CASE("shared memory that is not sealed, too small, too large, of another kind or closed is refused") {
  ClipReceiver receiver(wire_options_of_two());
  const auto values = shared_image_values();
  const auto refused = [&](const Descriptor& memory) {
    CHECK_THROWS_AS(receiver.take_shared_image(values, memory), WireError);
  };
  for (const unsigned seals : {0u, unsigned(F_SEAL_SHRINK), unsigned(F_SEAL_WRITE),
                               unsigned(F_SEAL_GROW | F_SEAL_WRITE), unsigned(F_SEAL_SHRINK | F_SEAL_GROW)})
    refused(memory_of(kSamples, seals));
  refused(memory_of(kSamples, 0, 0));
  for (const std::size_t size : {std::size_t(0), std::size_t(1), kSamples - 1, kSamples + 1, 4 * kSamples})
    refused(memory_of(size, kAllSeals));
  refused(Descriptor());
  refused(Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC)));
  refused(Descriptor(open("/proc/self/exe", O_RDONLY | O_CLOEXEC)));
  CHECK_NOTHROW(receiver.take_shared_image(values, memory_of(kSamples, kAllSeals)));  // zeros
  CHECK_THROWS_AS(receiver.take_shared_image(shared_image_values(kSize + 1), memory_of(kSamples, kAllSeals)),
                  WireError);
}

TEST_CASE("memory once taken cannot be changed, and stays when its sender is gone") {
  std::vector<std::byte> bytes(kSamples, std::byte(7));
  Descriptor memory = sealed_memory(bytes);
  REQUIRE(memory.is_open());
  const auto samples = map_sealed(memory, kSamples);
  CHECK(write(memory.number(), "x", 1) < 0);
  CHECK(ftruncate(memory.number(), 0) != 0);
  CHECK(mmap(nullptr, kSamples, PROT_READ | PROT_WRITE, MAP_SHARED, memory.number(), 0) == MAP_FAILED);
  memory = Descriptor();
  CHECK(std::ranges::equal(std::span(samples.get(), kSamples), bytes));
}

TEST_CASE("a process that sends more images than its clips can share is refused") {
  ClipReceiver receiver(wire_options_of_two());
  WireWriter image;
  const auto send = [&](std::uint64_t number) {
    WireWriter out;
    out.put(number);
    out.put(kSize);
    out.put(kSize);
    out.put(false);
    out.put_text(std::string(kSamples, 'a'));
    receiver.take_image(out.take());
  };
  const auto flood = [&] {
    for (std::uint64_t number = 0; number < 1'000; ++number) send(number);
  };
  CHECK_THROWS_AS(flood(), WireError);
}

TEST_CASE("clips of no sampling, of no frame, of unknown images, impossible times and sizes are refused") {
  const auto refused = [](const Clip& clip, std::uint32_t sampling) {
    ClipSender sender;
    CHECK_THROWS_AS(taken(sender.messages_of(clip, sampling, false)), WireError);
  };
  const Clip good{.frames = {wire_frame(small_image(1), 1)}};
  refused(good, 2);
  refused({}, 0);
  Clip bad = good;
  bad.frames[0].stamp.pts = MediaTime::max();
  refused(bad, 0);
  bad = good;
  bad.frames[0].stamp.wall = WallTime::min();
  refused(bad, 0);
  bad = good;
  bad.frames[0].motion = std::numeric_limits<double>::quiet_NaN();
  refused(bad, 0);
  bad = good;
  bad.frames[0].source_width = 0;
  refused(bad, 0);
  bad.frames = std::vector<Frame>(4, good.frames[0]);  // one more than the sampling has
  refused(bad, 0);
  bad.frames = {wire_frame(Image(1, 1, std::vector<std::uint8_t>(3)), 0)};
  refused(bad, 0);
  CHECK(taken(ClipSender().messages_of(good, 0, false)).clips.size() == 1);
}

TEST_CASE("any bytes of images and clips end in clips or in an error") {
  std::mt19937 random(5);
  ClipSender sender;
  const std::string whole = sender.messages_of({.frames = {wire_frame(small_image(0), 0)}}, 0, false).bytes;
  for (int turn = 0; turn < 20'000; ++turn) {
    std::string bytes = whole;
    for (int k = 0; k < 3; ++k) bytes[random() % bytes.size()] = char(random());
    try {
      (void)taken({.bytes = bytes.substr(0, random() % (bytes.size() + 1)), .memory = {}});
    } catch (const WireError&) {
    }
  }
}
