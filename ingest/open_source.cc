#include "ingest/open_source.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/redaction.h"
#include "ingest/descriptors.h"
#include "ingest/ffmpeg/ffmpeg_source.h"
#include "ingest/gstreamer/gst_source.h"
#include "ingest/http_source.h"
#include "ingest/pictures/folder_source.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

// Descriptors that one stream needs at most, and some for the rest of the process.
constexpr int kDescriptors = 32;

using Open = std::unique_ptr<Source>(const SourceOptions&, std::stop_token);

struct Variant {
  std::string_view scheme;  // empty: a plain path
  Open* open;
  bool network;
};

constexpr std::array<Variant, 10> kVariants = {{
    {"", open_ffmpeg_source, false},
    {"file", open_ffmpeg_source, false},
    {"folder", open_folder_source, false},
    {"street", open_ffmpeg_source, false},
    {"v4l2", open_gst_source, false},
    {"http", open_http_source, true},
    {"https", open_http_source, true},
    {"rtsp", open_ffmpeg_source, true},
    {"rtsps", open_gst_source, true},  // FFmpeg's RTSP reader verifies no certificate
    {"gst", open_gst_source, false},
}};

SourceError refused(const SourceOptions& options, const std::string& why) {
  return {SourceFault::kRefused, redact_text(redact_url(options.url), options.password) + ": " + why};
}

// A line end in a URL would become a line of its own in an RTSP request.
bool has_control_or_space(std::string_view url) {
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return true;
  }
  return false;
}

// Chooses the reader: a path may name a folder, and rtsp may be read by either library.
Open* opener_of(const Variant& variant, const SourceOptions& options) {
  std::error_code error;
  if (names_file(options.url) && std::filesystem::is_directory(path_of(options.url), error)) {
    return open_folder_source;
  }
  const bool rtsp = variant.scheme.starts_with("rtsp");
  return rtsp && options.reader == RtspReader::kGstreamer ? open_gst_source : variant.open;
}

}  // namespace

void prepare_source(const SourceOptions& options) {
  const std::string scheme = scheme_of(options.url);
  const auto variant = std::ranges::find(kVariants, scheme, &Variant::scheme);
  if (variant == kVariants.end() || opener_of(*variant, options) != open_gst_source) return;
  try {
    start_gstreamer();
  } catch (const SourceError&) {
    // Told when it is opened.
  }
}

std::unique_ptr<Source> open_source(const SourceOptions& options, std::stop_token stop) {
  const std::string scheme = scheme_of(options.url);
  for (const Variant& variant : kVariants) {
    if (variant.scheme != scheme) continue;
    if (options.url.find('\0') != std::string::npos) throw refused(options, "the address holds a zero byte");
    if (variant.network &&
        (!options.url.substr(scheme.size()).starts_with("://") || host_of(options.url).empty())) {
      throw refused(options,
                    options.url.find('@') == std::string::npos
                        ? "the address has no host: write " + scheme + "://HOST/PATH"
                        : "the address has no host: a password with / ? or # belongs beside the url, as "
                          "username: and password:, or is written with %2F, %3F and %23");
    }
    if (variant.network && has_control_or_space(options.url)) {
      throw refused(options, "the address holds a space or control character: write it as %20");
    }
    if ((scheme == "gst" || scheme == "v4l2") && !options.allow_launch) {
      throw refused(options,
                    "pipelines and devices are taken from the configuration file and command line only");
    }
    if (!descriptors_left(kDescriptors)) {
      throw SourceError(SourceFault::kUnreachable,
                        redact_url(options.url) +
                            ": too few file descriptors are left for another stream; allow this "
                            "process more (ulimit -n, LimitNOFILE)");
    }
    return opener_of(variant, options)(options, std::move(stop));
  }
  throw refused(
      options,
      "addresses of this kind are not read: use a file's or folder's path, http(s), rtsp(s), v4l2 or gst");
}

}  // namespace palisade
