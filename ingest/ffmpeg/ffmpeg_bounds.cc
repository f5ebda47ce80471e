#include "ingest/ffmpeg/ffmpeg_bounds.h"

#include <utility>

#include "base/format.h"

namespace palisade {
namespace {

// Three days of pictures and sound; FFmpeg keeps 24 bytes for each.
constexpr std::int64_t kMaxIndexed = 20'000'000;
// Entries of one fragment, whose size is unknown.
constexpr std::int64_t kMaxInFragment = 1'000'000;
constexpr std::uint64_t kBetweenLooks = 512;

}  // namespace

void FfmpegBounds::hear(AVFormatContext& context, std::string_view pattern, std::va_list arguments) {
  if (!excess_.empty()) return;
  const bool table = pattern.starts_with("sample_size = %u sample_count = %u");
  const bool fragment = pattern.starts_with("flags 0x%x entries %u");
  if (table || fragment) {
    static_cast<void>(va_arg(arguments, unsigned));
    const auto count = std::int64_t(va_arg(arguments, unsigned));
    claimed_ += count;
    if (fragment && count > kMaxInFragment)
      return end(context, format("says that a piece of it holds {} pictures", count));
  }
  if (table || fragment || ++heard_ % kBetweenLooks == 0) judge(context);
}

void FfmpegBounds::judge(AVFormatContext& context) {
  // A nested context has no bytes of its own.
  if (context.pb == nullptr) return;
  if (deadline_.passed()) return end(context, "");
  const std::int64_t size = avio_size(context.pb);
  if (size > 0 && claimed_ > size) {
    return end(context, format("says that it holds {} pictures in {} bytes", claimed_, size));
  }
  std::int64_t indexed = 0;
  for (unsigned i = 0; i < context.nb_streams; ++i)
    indexed += avformat_index_get_entries_count(context.streams[i]);
  if (indexed > kMaxIndexed) end(context, format("has a table of more than {} pictures", kMaxIndexed));
}

// The next read returns the end, as every read does after the deadline.
void FfmpegBounds::end(AVFormatContext& context, std::string excess) {
  excess_ = std::move(excess);
  deadline_.arm(std::chrono::milliseconds(0));
  AVIOContext& io = *context.pb;
  io.buf_ptr = io.buf_end = io.buffer;
  io.eof_reached = 1;
}

}  // namespace palisade
