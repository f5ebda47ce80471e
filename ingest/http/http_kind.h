#pragma once

#include "ingest/http/http_stream.h"

namespace palisade {

// What an http(s) address gives. Judged in this order, by what is said and by the first bytes:
// pictures        the type is multipart/... or a name of motion JPEG, or the body begins with a part's
// headers:
//                 a camera that sends one picture after the other.
// picture         the body begins as JPEG, PNG or WebP: a single one, polled as a camera; without a length
// and
//                 with a second one behind the first: pictures.
// film or camera  all else that FFmpeg's containers may be. With a length it is a film. Without one, an MP4
//                 that tells its whole length is a film, and one whose fragments come without an end a
//                 camera; other containers are what their own duration says: none, a camera.
// What no picture or film begins with is refused by its name, and so is a film that cannot be read in order
// from a server that gives no parts of it.
enum class HttpKind { kPictures, kPicture, kFilm, kCamera, kAsContainerSays };

// Throws SourceError.
HttpKind kind_of(HttpStream& stream, MonotonicTime until);

}  // namespace palisade
