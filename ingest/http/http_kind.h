#pragma once

#include "ingest/http/http_body.h"

namespace palisade {

// What an http(s) address serves, judged by the headers and the first bytes in this order:
// - kPictures, a camera that sends one picture after the other: the type is multipart/... or one of motion
// JPEG, or the
//   body begins with the headers of a part.
// - kPicture, a single picture that is polled: the body begins like a JPEG, PNG or WebP file. If the answer
// has no
//   length and a second picture follows the first, it is treated like kPictures.
// - kFilm or kCamera: a container for FFmpeg. A film has a Content-Length, or is an MP4 that states its
// duration; an
//   MP4 of endless fragments is a camera.
// - kAsContainerSays: any other container; it is a camera if it states no duration.
// Unsupported formats are refused by name. So are films whose index is at the end, if the server serves no
// ranges.
enum class HttpKind { kPictures, kPicture, kFilm, kCamera, kAsContainerSays };

// Throws SourceError.
HttpKind kind_of(HttpBody& stream, MonotonicTime until);

}  // namespace palisade
