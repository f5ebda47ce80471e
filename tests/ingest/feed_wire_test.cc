#include "ingest/feed_wire.h"

#include <doctest/doctest.h>

#include <random>

#include "base/utf8.h"
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
                      .make_views = true,
                      .glimpses = true,
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

TEST_CASE("a report whose reason is no text or too long still is one line of text") {
  const auto reason_of = [](const std::string& reason) {
    return read_wire_report(wire_report({.stream = "a", .reason = reason, .since = wall_now()})).reason;
  };
  CHECK(reason_of("the camera\xc2\xb4s gone") == "the camera\xc2\xb4s gone");
  CHECK(reason_of("\xff\xfe.") == "??.");
  CHECK(reason_of(std::string(100'000, 'a')).size() <= 4'096);
}

TEST_CASE("reports of numbers that no camera has are refused") {
  for (const FeedReport& report :
       {FeedReport{.stream = "a", .attempt = -1}, FeedReport{.stream = "a", .next_try_in = -1ms},
        FeedReport{.stream = "a", .width = 1 << 20}, FeedReport{.stream = "a", .since = WallTime::max()}})
    CHECK_THROWS_AS(read_wire_report(wire_report(report)), WireError);
}

TEST_CASE("a message that says to be larger than its reader allows is refused before it has come") {
  FeedMessageReader reader(100);
  reader.take(wire_message(FeedMessage::kReport, std::string(101, 'a')).substr(0, 4));
  CHECK_THROWS_AS(reader.next(), WireError);
}

TEST_CASE("any bytes of settings and reports end in messages or in an error") {
  std::mt19937 random(5);
  const std::string whole = wire_message(FeedMessage::kReport, wire_report({.stream = "a", .reason = "b"})) +
                            wire_message(FeedMessage::kOptions, wire_options(every_option()));
  for (int turn = 0; turn < 20'000; ++turn) {
    std::string bytes = whole;
    for (int k = 0; k < 3; ++k) bytes[random() % bytes.size()] = char(random());
    FeedMessageReader reader;
    reader.take(bytes.substr(0, random() % (bytes.size() + 1)));
    try {
      while (auto message = reader.next()) {
        if (message->first == FeedMessage::kReport) (void)read_wire_report(message->second);
        if (message->first == FeedMessage::kOptions) (void)read_wire_options(message->second);
        if (message->first == FeedMessage::kFrames) (void)read_wire_count(message->second);
      }
    } catch (const WireError&) {
    }
  }
}
