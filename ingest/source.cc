#include "ingest/source.h"

#include <array>
#include <string_view>
#include <utility>

#include "ingest/ffmpeg_source.h"
#include "ingest/gst_source.h"
#include "ingest/url.h"

namespace palisade {
namespace {

struct Variant {
  std::string_view scheme;  // empty: a plain path
  std::unique_ptr<Source> (*open)(const SourceOptions&, std::stop_token);
  bool network;
};

constexpr std::array<Variant, 7> kVariants = {{
    {"", open_ffmpeg_source, false},
    {"file", open_ffmpeg_source, false},
    {"http", open_ffmpeg_source, true},
    {"https", open_ffmpeg_source, true},
    {"rtsp", open_ffmpeg_source, true},
    {"rtsps", open_ffmpeg_source, true},
    {"gst", open_gst_source, false},
}};

SourceError refused(const SourceOptions& options, const std::string& why) {
  return {SourceFault::kRefused, redact_text(redact_url(options.url), options.password) + ": " + why};
}

// A line end in a URL would become a line of its own in the request to the camera.
bool has_control_or_space(std::string_view url) {
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return true;
  }
  return false;
}

}  // namespace

std::unique_ptr<Source> open_source(const SourceOptions& options, std::stop_token stop) {
  const std::string scheme = scheme_of(options.url);
  for (const Variant& variant : kVariants) {
    if (variant.scheme != scheme) continue;
    if (options.url.find('\0') != std::string::npos) throw refused(options, "the address holds a zero byte");
    if (variant.network &&
        (!options.url.substr(scheme.size()).starts_with("://") || host_of(options.url).empty())) {
      throw refused(options, "the address has no host: write " + scheme + "://HOST/PATH");
    }
    if (variant.network && has_control_or_space(options.url)) {
      throw refused(options, "the address holds a space or control character: write it as %20");
    }
    if (scheme == "gst" && !options.allow_launch) {
      throw refused(options, "pipelines are taken from the configuration file and command line only");
    }
    const bool by_gstreamer = scheme.starts_with("rtsp") && options.reader == RtspReader::kGstreamer;
    return (by_gstreamer ? open_gst_source : variant.open)(options, std::move(stop));
  }
  throw refused(options, "addresses of this kind are not read: use a file's path, http(s), rtsp(s) or gst");
}

}  // namespace palisade
