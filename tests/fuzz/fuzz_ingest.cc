// Readers of what comes from cameras, of files and of addresses.
#include <stdexcept>

#include "base/redaction.h"
#include "base/utf8.h"
#include "ingest/clip_wire.h"
#include "ingest/feed_wire.h"
#include "ingest/ffmpeg/ffmpeg_source.h"
#include "ingest/pictures/picture.h"
#include "ingest/shared_samples.h"
#include "ingest/source/url.h"
#include "ingest/wire_bytes.h"
#include "tests/fuzz/readers.h"

namespace palisade::fuzz {
namespace {

constexpr int kMaxFrames = 8;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

void pictures(Input input) {
  const PictureLimits limits{.max_pixels = 1 << 20};
  try {
    const Image image = decode_picture(std::as_bytes(input), limits);
    require(image.width() > 0 && image.height() > 0 && image.width() * image.height() <= limits.max_pixels);
  } catch (const PictureError&) {
  }
}

void containers(Input input) {
  if (input.empty()) return;
  SourceOptions options;
  options.url = file_of("film", input).string();
  options.max_pixels = 1 << 20;
  options.open_timeout = options.stall_timeout = std::chrono::milliseconds(2000);
  try {
    const auto source = open_ffmpeg_source(options, {});
    const Wanted every = [](const FrameStamp&) { return true; };
    for (int i = 0; i < kMaxFrames && source->next(every); ++i) {
    }
  } catch (const SourceError&) {
  }
}

void urls(Input input) {
  const std::string_view url = text_of(input);
  (void)scheme_of(url);
  (void)host_of(url);
  if (names_file(url)) (void)path_of(url);
  (void)redact_text(url);
  // A password in an address is never printed, whatever the address is.
  constexpr std::string_view kPassword = "C4nary-p4ssword";
  if (url.find(kPassword) != url.npos) return;
  const std::size_t authority = url.find("://");
  if (authority == url.npos) return;
  const std::string with = std::string(url.substr(0, authority + 3)) + "user:" + std::string(kPassword) +
                           "@" + std::string(url.substr(authority + 3));
  require(redact_url(with).find(kPassword) == std::string::npos);
  require(redact_text("cannot open " + with, kPassword).find(kPassword) == std::string::npos);
}

// Both directions between a service and a camera's process.
void feed_wire(Input input) {
  static const FeedOptions options{.stream = "a", .samplings = {{.count = 2}}, .image_size = 4};
  static const std::vector<std::byte> samples(4 * 4 * 3);
  static const Descriptor memory = sealed_memory(samples);
  FeedMessageReader reader(1 << 20);
  ClipReceiver receiver(options);
  reader.take(text_of(input));
  try {
    while (const auto message = reader.next()) {
      const auto& [kind, values] = *message;
      if (kind == FeedMessage::kImage) receiver.take_image(values);
      if (kind == FeedMessage::kSharedImage) receiver.take_shared_image(values, memory);
      if (kind == FeedMessage::kForget) receiver.forget(values);
      if (kind == FeedMessage::kClip) require(!receiver.clip(values).clip.frames.empty());
      if (kind == FeedMessage::kReport) require(valid_utf8(read_wire_report(values).reason));
      if (kind == FeedMessage::kConfined) (void)read_wire_text(values);
      if (kind == FeedMessage::kFrames) (void)read_wire_count(values);
      // What was read is written in the same way again.
      if (kind == FeedMessage::kOptions)
        require(wire_options(read_wire_options(values)).size() == values.size());
    }
  } catch (const WireError&) {
  }
}

}  // namespace palisade::fuzz
