#pragma once

#include <memory>
#include <optional>

#include "ingest/ffmpeg/ffmpeg_deadline.h"
#include "ingest/ffmpeg/ffmpeg_handles.h"
#include "ingest/http/http_body.h"

namespace palisade {

// An http(s) address as FFmpeg's input. FFmpeg gets bytes and no address, so it connects to nothing. Errors
// are kept here, because no exception may pass through FFmpeg.
class HttpInput {
 public:
  // `stream` is open; `deadline` outlives this.
  HttpInput(std::unique_ptr<HttpBody> stream, const Deadline& deadline);
  HttpInput(const HttpInput&) = delete;
  HttpInput& operator=(const HttpInput&) = delete;

  AVIOContext* io() { return io_.get(); }
  const HttpBody& stream() const { return *stream_; }
  // Why reading failed, unless by deadline or stop.
  const std::optional<SourceError>& fault() const { return fault_; }
  // Whether the connection has ended.
  bool ended() const { return ended_; }

 private:
  static int read(void* self, std::uint8_t* out, int size);
  static std::int64_t seek(void* self, std::int64_t offset, int whence);

  std::unique_ptr<HttpBody> stream_;
  const Deadline& deadline_;
  std::optional<SourceError> fault_;
  bool ended_ = false;
  Av<AVIOContext> io_;
};

}  // namespace palisade
