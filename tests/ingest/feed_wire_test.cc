#include "ingest/feed_wire.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "ingest/wire_bytes.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

FeedOptions every_option() {
  FeedOptions options{.stream = "front_door",
                      .source = {.url = "rtsp://camera/1", .username = "u", .password = "p\0w"},
                      .samplings = {{.count = 3, .policy = SamplingPolicy::kMotion}, {}},
                      .image_size = 448,
                      .resize = ResizePreset::kBvVideoFloat,
                      .masks = {{{0, 0}, {1, 0}, {0.5, 1}}},
                      .watch_motion = true,
                      .region = {{{0.1, 0.2}, {0.3, 0.4}, {0.5, 0.6}}},
                      .pace = true,
                      .loop = true};
  options.source.redirect_hosts = {"a", "b:80"};
  options.source.tls_verify = false;
  options.source.reader = RtspReader::kGstreamer;
  options.retry.first = 7ms;
  return options;
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
Taken taken(const std::string& messages, std::size_t piece = 1000) {
  Taken result;
  FeedMessageReader reader;
  ClipReceiver receiver;
  for (std::size_t at = 0; at < messages.size(); at += piece) {
    reader.take(std::string_view(messages).substr(at, piece));
    while (auto message = reader.next()) {
      if (message->first == FeedMessage::kImage) receiver.take_image(message->second), ++result.images;
      if (message->first == FeedMessage::kForget) receiver.forget(message->second), ++result.forgotten;
      if (message->first == FeedMessage::kClip) result.clips.push_back(receiver.clip(message->second));
    }
  }
  return result;
}

}  // namespace

TEST_CASE("a feed's settings are the same behind the wire, secrets with NULs included") {
  const FeedOptions sent = every_option(), got = read_wire_options(wire_options(sent));
  CHECK(got.stream == sent.stream);
  CHECK(got.source == sent.source);
  CHECK(got.samplings == sent.samplings);
  CHECK(got.masks == sent.masks);
  CHECK(got.region == sent.region);
  CHECK(wire_options(got) == wire_options(sent));
}

TEST_CASE("clips that share frames share their images behind the wire, and each image crosses once") {
  std::vector<Frame> frames;
  for (int i = 0; i < 4; ++i)
    frames.push_back(wire_frame(i % 2 == 0 ? Image(5, 4, std::vector<std::uint8_t>(60, std::uint8_t(i)))
                                           : Image(5, 4, std::vector<float>(60, 0.25f * float(i))),
                                i));
  ClipSender sender;
  const Clip first{.frames = {frames[0], frames[1], frames[2]}, .moving = true, .lost_before = 7};
  const Clip second{.frames = {frames[1], frames[2], frames[3]}, .tiled = true};
  std::string messages = sender.messages_of(first, 0);
  messages += sender.messages_of(second, 1);
  for (const std::size_t piece : {std::size_t(1), std::size_t(100'000)}) {
    const Taken result = taken(messages, piece);
    CHECK(result.images == 4);
    REQUIRE(result.clips.size() == 2);
    CHECK(result.clips[1].sampling == 1);
    CHECK(result.clips[0].clip.moving == true);
    CHECK_FALSE(result.clips[1].clip.moving.has_value());
    CHECK(result.clips[0].clip.lost_before == 7);
    CHECK(result.clips[1].clip.tiled);
    CHECK(result.clips[0].clip.frames[1].image.identity() == result.clips[1].clip.frames[0].image.identity());
    for (int i = 0; i < 3; ++i) {
      const Frame& sent = first.frames[std::size_t(i)];
      const Frame& got = result.clips[0].clip.frames[std::size_t(i)];
      CHECK(std::ranges::equal(got.image.bytes(), sent.image.bytes()));
      CHECK(got.image.is_float() == sent.image.is_float());
      CHECK(got.stamp.pts == sent.stamp.pts);
      CHECK(got.stamp.wall == sent.stamp.wall);
      CHECK(got.stamp.time_uncertainty == sent.stamp.time_uncertainty);
      CHECK(got.stamp.corrupt == sent.stamp.corrupt);
      CHECK(got.motion == sent.motion);
      CHECK(got.source_height == 360);
    }
  }
}

TEST_CASE("images that no later clip can have are forgotten on both sides") {
  ClipSender sender;
  std::string messages;
  for (int i = 0; i < 5'000; ++i)
    messages += sender.messages_of(
        {.frames = {wire_frame(Image(1, 1, std::vector<std::uint8_t>(3, std::uint8_t(i))), i)}}, 0);
  const Taken result = taken(messages);  // a receiver that keeps more than 1,024 throws
  CHECK(result.clips.size() == 5'000);
  CHECK(result.forgotten > 4'000);
}

TEST_CASE("any bytes from a camera's process end in messages or in an error") {
  std::mt19937 random(5);
  ClipSender sender;
  const Clip clip{.frames = {wire_frame(Image(2, 2, std::vector<std::uint8_t>(12)), 0)}};
  const std::string whole = sender.messages_of(clip, 0) +
                            wire_message(FeedMessage::kReport, wire_report({.stream = "a", .reason = "b"})) +
                            wire_message(FeedMessage::kOptions, wire_options(every_option()));
  for (int turn = 0; turn < 20'000; ++turn) {
    std::string bytes = whole;
    for (int k = 0; k < 3; ++k) bytes[random() % bytes.size()] = char(random());
    FeedMessageReader reader;
    ClipReceiver receiver;
    reader.take(bytes.substr(0, random() % (bytes.size() + 1)));
    try {
      while (auto message = reader.next()) {
        if (message->first == FeedMessage::kImage) receiver.take_image(message->second);
        if (message->first == FeedMessage::kForget) receiver.forget(message->second);
        if (message->first == FeedMessage::kClip) (void)receiver.clip(message->second);
        if (message->first == FeedMessage::kReport) (void)read_wire_report(message->second);
        if (message->first == FeedMessage::kOptions) (void)read_wire_options(message->second);
        if (message->first == FeedMessage::kFrames) (void)read_wire_count(message->second);
      }
    } catch (const WireError&) {
    }
  }
}
