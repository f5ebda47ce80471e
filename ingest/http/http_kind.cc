#include "ingest/http/http_kind.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>

#include "ingest/http/mp4_outline.h"
#include "ingest/pictures/picture.h"
#include "ingest/source/refused_format.h"

namespace palisade {
namespace {

constexpr std::size_t kFirstBytes = 512;
// Some cameras announce a huge length for an endless answer.
constexpr std::int64_t kEndlessLength = (std::int64_t(1) << 31) - 1;

SourceError no_stream(const HttpBody& stream, const std::string& why) {
  return {SourceFault::kUnreadable, stream.shown() + ": " + why};
}

bool names_pictures(const std::string& type) {
  constexpr std::array<std::string_view, 4> kMotionJpeg = {"video/x-motion-jpeg", "video/x-jpeg",
                                                           "video/jpeg", "video/x-mjpeg"};
  return type.starts_with("multipart/") || std::ranges::find(kMotionJpeg, type) != kMotionJpeg.end();
}

// Whether the body begins with "--boundary" and the headers of a part, although its type is not multipart.
bool begins_as_part(std::string_view start) {
  std::string lower;
  for (const char c : start) lower += char(std::tolower(static_cast<unsigned char>(c)));
  const std::size_t first = lower.find_first_not_of("\r\n");
  return first != std::string::npos && std::string_view(lower).substr(first).starts_with("--") &&
         lower.find("content-type: image/") != std::string::npos;
}

bool has_end(const HttpBody& stream) {
  return stream.size() && (stream.seekable() || *stream.size() < kEndlessLength);
}

HttpKind kind_of_mp4(HttpBody& stream, Mp4Outline outline, MonotonicTime until) {
  for (std::size_t had = 0; outline.wanted > had;) {
    had = outline.wanted;
    const auto start = stream.peek(had, until);
    outline = outline_mp4(start);
    if (start.size() < had && outline.wanted > start.size()) {
      throw SourceError(
          SourceFault::kUnreachable,
          stream.shown() + ": the connection was lost within the header of its MP4: is the server well?");
    }
  }
  if (outline.index_behind && !stream.seekable()) {
    throw no_stream(
        stream,
        "the film has its index at the end, and the server gives no parts of it (ranges): let it serve "
        "ranges, move the index to the front (ffmpeg -i FILM -c copy -movflags +faststart OUT), or "
        "copy the film here");
  }
  if (has_end(stream)) return HttpKind::kFilm;
  return outline.fragmented && !outline.whole_length ? HttpKind::kCamera : HttpKind::kFilm;
}

}  // namespace

HttpKind kind_of(HttpBody& stream, MonotonicTime until) {
  const std::string& type = stream.answer().type;
  if (names_pictures(type)) return HttpKind::kPictures;
  // A few bytes suffice for most kinds, and a camera may send more only later.
  auto start = stream.peek(32, until);
  if (start.empty()) throw no_stream(stream, "sends nothing: is the path right?");
  if (looks_like_picture(start)) return HttpKind::kPicture;
  if (const Mp4Outline outline = outline_mp4(start); outline.is_mp4 && !refused_format(start)) {
    return kind_of_mp4(stream, outline, until);
  }
  const bool text = type.starts_with("text/") || refused_format(start) || start.front() == std::byte('-') ||
                    start.front() == std::byte('\r') || start.front() == std::byte('\n');
  if (text) start = stream.peek(kFirstBytes, until);
  if (begins_as_part({reinterpret_cast<const char*>(start.data()), start.size()})) return HttpKind::kPictures;
  if (const auto refused = refused_format(start)) throw no_stream(stream, "is " + *refused);
  return has_end(stream) ? HttpKind::kFilm : HttpKind::kAsContainerSays;
}

}  // namespace palisade
