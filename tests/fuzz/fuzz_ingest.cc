// Readers of what comes from cameras, of files and of addresses.
#include <stdexcept>

#include "base/redaction.h"
#include "ingest/ffmpeg/ffmpeg_source.h"
#include "ingest/pictures/picture.h"
#include "ingest/source/url.h"
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

}  // namespace palisade::fuzz
