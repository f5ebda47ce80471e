#include "ingest/ffmpeg/ffmpeg_source.h"

#include <optional>
#include <utility>

#include "ingest/ffmpeg/ffmpeg_clock.h"
#include "ingest/ffmpeg/ffmpeg_decoder.h"
#include "ingest/ffmpeg/ffmpeg_deinterlacer.h"
#include "ingest/ffmpeg/ffmpeg_input.h"
#include "ingest/ffmpeg/ffmpeg_rgb.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

class FfmpegSource : public Source {
 public:
  FfmpegSource(const SourceOptions& options, std::stop_token stop, std::optional<OpenedHttp> http)
      : options_(options),
        input_(options, std::move(stop), std::move(http)),
        decoder_(input_, options),
        clock_(input_) {}

  std::optional<Frame> next(const Wanted& wanted) override {
    while (true) {
      // Armed here, so that the time of the caller and of `wanted` does not count as the camera's.
      input_.deadline().arm(options_.stall_timeout);
      const AVFrame* decoded = decoder_.next(clock_);
      if (decoded == nullptr) return end();
      check_size(*decoded);
      any_ = true;
      if (weaves_fields_) deinterlacer_.see(*decoded);
      const FrameStamp stamp = clock_.stamp(*decoded, decoder_.damaged());
      if (wanted(stamp)) return frame_of(*decoded, stamp);
    }
  }

  bool live() const override { return input_.live(); }
  std::string remark() const override { return decoder_.remark(); }
  std::optional<MediaTime> duration() const override { return input_.duration(); }
  Intake intake() const override { return input_.intake(); }
  std::optional<std::chrono::milliseconds> clock_error() const override { return clock_.error(); }

 private:
  std::optional<Frame> end() const {
    if (any_ || input_.live()) return std::nullopt;
    throw SourceError(SourceFault::kUnreadable, redact_url(options_.url) + ": no frame of it can be decoded");
  }

  // Decoders check max_pixels at the start; a later change of size is checked here.
  void check_size(const AVFrame& decoded) const {
    if (std::int64_t(decoded.width) * decoded.height <= options_.max_pixels) return;
    throw SourceError(SourceFault::kUnreadable,
                      redact_url(options_.url) + ": its picture grew over the limit");
  }

  Frame frame_of(const AVFrame& decoded, const FrameStamp& stamp) {
    try {
      const AVFrame& shown = weaves_fields_ ? deinterlacer_.progressive(decoded) : decoded;
      Image image = upright(rgb_.convert(shown), decoder_.orientation_of(decoded));
      return {stamp, "", image.width(), image.height(), image};
    } catch (const BadPicture& e) {
      throw SourceError(SourceFault::kUnreadable, redact_url(options_.url) + ": " + e.what());
    }
  }

  SourceOptions options_;
  FfmpegInput input_;
  FfmpegDecoder decoder_;
  FfmpegClock clock_;
  FfmpegDeinterlacer deinterlacer_;
  // In H.265 each field is a picture of its own.
  const bool weaves_fields_ = input_.video().codecpar->codec_id != AV_CODEC_ID_HEVC;
  FfmpegRgb rgb_;
  bool any_ = false;
};

}  // namespace

std::unique_ptr<Source> open_ffmpeg_source(const SourceOptions& options, std::stop_token stop) {
  return std::make_unique<FfmpegSource>(options, std::move(stop), std::nullopt);
}

std::unique_ptr<Source> read_http_by_ffmpeg(const SourceOptions& options, std::stop_token stop,
                                            OpenedHttp http) {
  return std::make_unique<FfmpegSource>(options, std::move(stop), std::move(http));
}

}  // namespace palisade
