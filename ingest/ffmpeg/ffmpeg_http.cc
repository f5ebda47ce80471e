#include "ingest/ffmpeg/ffmpeg_http.h"

#include <cerrno>
#include <exception>
#include <new>
#include <utility>

namespace palisade {
namespace {

constexpr int kHttpBuffer = 64 << 10;

}  // namespace

HttpInput::HttpInput(std::unique_ptr<HttpBody> stream, const Deadline& deadline)
    : stream_(std::move(stream)), deadline_(deadline) {
  auto* buffer = static_cast<unsigned char*>(av_malloc(kHttpBuffer));
  if (buffer != nullptr) io_.reset(avio_alloc_context(buffer, kHttpBuffer, 0, this, read, nullptr, seek));
  if (io_ == nullptr) {
    av_free(buffer);
    throw std::bad_alloc();
  }
  io_->seekable = stream_->seekable() ? AVIO_SEEKABLE_NORMAL : 0;
}

int HttpInput::read(void* self, std::uint8_t* out, int size) {
  auto& input = *static_cast<HttpInput*>(self);
  if (input.fault_) return AVERROR(EIO);
  try {
    const std::size_t got =
        input.stream_->read({reinterpret_cast<std::byte*>(out), std::size_t(size)}, input.deadline_.at());
    input.ended_ = got == 0;
    return got == 0 ? AVERROR_EOF : int(got);
  } catch (const SourceError& e) {
    const bool waited = e.fault() == SourceFault::kStalled || e.fault() == SourceFault::kInterrupted;
    if (waited) return AVERROR_EXIT;
    input.fault_ = e;
  } catch (const std::bad_alloc&) {
    return AVERROR(ENOMEM);
  } catch (const std::exception& e) {
    input.fault_.emplace(SourceFault::kUnreachable, input.stream_->shown() + ": " + e.what());
  }
  return AVERROR(EIO);
}

std::int64_t HttpInput::seek(void* self, std::int64_t offset, int whence) {
  HttpBody& stream = *static_cast<HttpInput*>(self)->stream_;
  const std::int64_t size = stream.size().value_or(AVERROR(ENOSYS));
  if ((whence & AVSEEK_SIZE) != 0) return size;
  const int from = whence & ~AVSEEK_FORCE;
  if (from == SEEK_CUR) offset += stream.position();
  if (from == SEEK_END) offset += size;
  if (!stream.seekable() || offset < 0 || offset > size) return AVERROR(EINVAL);
  stream.seek(offset);
  return offset;
}

}  // namespace palisade
