#include "ingest/http_source.h"

#include <string>
#include <utility>

#include "base/format.h"
#include "ingest/ffmpeg/ffmpeg_source.h"
#include "ingest/http/http_body.h"
#include "ingest/http/http_kind.h"
#include "ingest/http/http_pictures.h"

namespace palisade {
namespace {

HttpKind judged(HttpBody& stream, const SourceOptions& options, MonotonicTime until) {
  try {
    return kind_of(stream, until);
  } catch (const SourceError& e) {
    if (e.fault() != SourceFault::kStalled) throw;
    throw SourceError(SourceFault::kUnreachable,
                      format("{}: answers, but sends nothing within {} ms: does it serve this path now?",
                             stream.shown(), options.open_timeout.count()));
  }
}

}  // namespace

std::unique_ptr<Source> open_http_source(const SourceOptions& options, std::stop_token stop) {
  OpenedHttp http{.stream = std::make_unique<HttpBody>(options, stop),
                  .open_until = std::chrono::steady_clock::now() + options.open_timeout};
  http.stream->open(http.open_until);
  const HttpKind kind = judged(*http.stream, options, http.open_until);
  if (kind == HttpKind::kPictures) return read_http_pictures(options, std::move(http));
  if (kind == HttpKind::kPicture) return poll_http_picture(options, std::move(stop), std::move(http));
  if (kind != HttpKind::kAsContainerSays) http.live = kind == HttpKind::kCamera;
  return read_http_by_ffmpeg(options, std::move(stop), std::move(http));
}

}  // namespace palisade
