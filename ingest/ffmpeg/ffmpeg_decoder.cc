#include "ingest/ffmpeg/ffmpeg_decoder.h"

#include <algorithm>
#include <cerrno>
#include <new>
#include <string>

#include "base/format.h"
#include "base/redaction.h"
#include "ingest/ffmpeg/ffmpeg_log.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

constexpr int kMaxFailures = 100;
// A stream with intra refresh has no keyframes; after this many frames errors have faded there too.
constexpr std::uint64_t kDamageFades = 250;

}  // namespace

bool is_keyframe(const AVFrame& frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 29, 100)
  return (frame.flags & AV_FRAME_FLAG_KEY) != 0;
#else
  return frame.key_frame != 0;
#endif
}

FfmpegDecoder::FfmpegDecoder(FfmpegInput& input, const SourceOptions& options)
    : input_(input),
      options_(options),
      orientation_(input.video()),
      packet_(av_packet_alloc()),
      frame_(av_frame_alloc()),
      last_keyframe_(std::chrono::steady_clock::now()) {
  if (packet_ == nullptr || frame_ == nullptr) throw std::bad_alloc();
  open(options.hardware == Hardware::kAuto);
}

void FfmpegDecoder::open(bool hardware) {
  const AVCodecParameters& parameters = *input_.video().codecpar;
  const AVCodec* decoder = avcodec_find_decoder(parameters.codec_id);
  codec_.reset(decoder != nullptr ? avcodec_alloc_context3(decoder) : nullptr);
  int code = AVERROR_DECODER_NOT_FOUND;
  if (codec_ != nullptr) {
    code = avcodec_parameters_to_context(codec_.get(), &parameters);
    codec_->pkt_timebase = input_.video().time_base;
    codec_->max_pixels = options_.max_pixels;
    codec_->thread_count = 2;
    // Frame threads hold back a frame, which is not acceptable for a camera.
    codec_->thread_type = input_.live() ? FF_THREAD_SLICE : FF_THREAD_FRAME | FF_THREAD_SLICE;
    AvOptions av;
    av.set("codec_whitelist", input_.container().codec_whitelist);
    device_ = hardware && hardware_.prepare(*codec_);
    if (code >= 0) code = avcodec_open2(codec_.get(), decoder, av.entries());
  }
  // The keyframe is within what was probed, which is five seconds at most.
  const AVRational rate = input_.video().avg_frame_rate;
  if (take_lost_packets()) suspects_ = rate.num > 0 && rate.den > 0 ? int(5 * av_q2d(rate)) + 1 : 150;
  if (code >= 0) return;
  throw SourceError(SourceFault::kUnreadable, redact_url(options_.url) + ": video of kind " +
                                                  avcodec_get_name(parameters.codec_id) +
                                                  " is not one Palisade decodes: use H.264 or H.265");
}

void FfmpegDecoder::fail_to_read(int code) const {
  const std::string shown = redact_url(options_.url);
  if (const auto fault = input_.connection_fault()) throw *fault;
  if (code != AVERROR_EXIT) {
    const bool told = code != AVERROR(EIO) && code != AVERROR_EOF;  // EIO and EOF say nothing about the cause
    throw SourceError(SourceFault::kUnreachable,
                      shown + ": the connection was lost" + (told ? ": " + ffmpeg_text(code) : ""));
  }
  if (input_.deadline().stopped()) throw SourceError(SourceFault::kInterrupted, shown + ": stopped");
  const bool without_keyframe =
      packets_ > 0 && frames_ == 0 && std::chrono::steady_clock::now() - opened_ >= options_.keyframe_timeout;
  const std::string time =
      format("{} ms", (without_keyframe ? options_.keyframe_timeout : options_.stall_timeout).count());
  throw SourceError(SourceFault::kStalled,
                    shown + ": " + (without_keyframe ? no_keyframe_text(time) : "no frame for " + time));
}

// Before the first picture any packet is a sign of life, because keyframes may be rare.
void FfmpegDecoder::wait_for_keyframe() {
  ++packets_;
  if (frames_ > 0 || !input_.live()) return;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(opened_ + options_.keyframe_timeout -
                                                                 std::chrono::steady_clock::now());
  input_.deadline().arm(std::min(left, options_.stall_timeout));
}

void FfmpegDecoder::count_failure(int code) {
  if (code == AVERROR(ENOMEM)) throw std::bad_alloc();
  if (++failures_ <= kMaxFailures) return;
  if (device_) {
    failures_ = 0;
    return open(false);
  }
  const std::string detail = redact_text(take_ffmpeg_error(), options_.password);
  throw SourceError(SourceFault::kUnreadable,
                    redact_url(options_.url) + ": nothing of it can be decoded any more: " +
                        ffmpeg_text(code) + (detail.empty() ? "" : " (" + detail + ")"));
}

void FfmpegDecoder::send(const AVPacket* packet) {
  const int code = avcodec_send_packet(codec_.get(), packet);
  if (code < 0 && code != AVERROR_EOF) count_failure(code);
}

// Sends one packet, or the end, to the decoder.
void FfmpegDecoder::feed(FfmpegClock& clock) {
  const int code = input_.read(*packet_);
  if (code == AVERROR(ENOMEM)) {  // also means too many streams
    throw SourceError(SourceFault::kUnreadable,
                      redact_url(options_.url) + ": " + redact_text(take_ffmpeg_error(), options_.password));
  }
  if (code == AVERROR_EOF || (code < 0 && code != AVERROR_EXIT && !input_.live() && input_.modified())) {
    drained_ = true;
    send(nullptr);
  } else if (code == AVERROR_INVALIDDATA || code == AVERROR(EAGAIN)) {
    count_failure(code);
  } else if (code < 0) {
    fail_to_read(code);
  } else {
    if (input_.video().codecpar->codec_id != codec_->codec_id) {
      throw SourceError(SourceFault::kUnreachable,
                        redact_url(options_.url) + ": the stream changed its codec: it is opened anew");
    }
    wait_for_keyframe();
    feed_packet(clock);
  }
}

void FfmpegDecoder::feed_packet(FfmpegClock& clock) {
  clock.note_packet(*packet_);
  orientation_.note_packet(*codec_, *packet_);
  if (options_.decode != Decode::kKeyframes) return send(packet_.get());
  input_.deadline().arm(options_.stall_timeout);
  if ((packet_->flags & AV_PKT_FLAG_KEY) == 0) return pass_over(clock);
  last_keyframe_ = std::chrono::steady_clock::now();
  send(packet_.get());
  // Drains the decoder, so that it returns the keyframe without waiting for more pictures.
  send(nullptr);
}

void FfmpegDecoder::pass_over(FfmpegClock& clock) {
  clock.note_skipped();
  const auto patience = kKeyframeStalls * options_.stall_timeout;
  if (!input_.live() || std::chrono::steady_clock::now() - last_keyframe_ < patience) return;
  throw SourceError(
      SourceFault::kUnreadable,
      format("{}: sends pictures, but no keyframe for {} ms: let it send some, or set decode: all",
             redact_url(options_.url), patience.count()));
}

void FfmpegDecoder::note_damage() {
  const std::uint64_t number = frames_++;
  const bool flagged = (frame_->flags & AV_FRAME_FLAG_CORRUPT) != 0 || frame_->decode_error_flags != 0;
  // A decoder does not notice a lost picture. The current frame may precede the loss, so the next one is
  // marked as damaged too, even a keyframe.
  if (take_lost_packets()) suspects_ = std::max(suspects_, 2);
  const bool broken = flagged || suspects_ > 0;
  if (suspects_ > 0) --suspects_;
  if (broken) {
    damaged_since_ = number;
  } else if (damaged_since_ && (is_keyframe(*frame_) || number - *damaged_since_ > kDamageFades)) {
    damaged_since_.reset();
  }
}

// Where a device cannot return its pictures, software decodes from the next keyframe on.
const AVFrame* FfmpegDecoder::in_memory() {
  const AVFrame* const frame = hardware_.fetch(*frame_);
  if (frame == nullptr) open(false);
  return frame;
}

std::string FfmpegDecoder::remark() const {
  if (!orientation_.remark().empty()) return orientation_.remark();
  if (options_.hardware == Hardware::kNone || (device_ && hardware_.used())) return {};
  return device_ ? "decoded in software: the graphics processor does not take this stream"
                 : "decoded in software: VAAPI finds no graphics processor that decodes";
}

const AVFrame* FfmpegDecoder::next(FfmpegClock& clock) {
  while (true) {
    if (input_.deadline().passed()) fail_to_read(AVERROR_EXIT);
    const int code = avcodec_receive_frame(codec_.get(), frame_.get());
    if (code >= 0) {
      failures_ = 0;
      note_damage();
      if (const AVFrame* const frame = in_memory()) return frame;
      continue;
    }
    if (code == AVERROR_EOF && options_.decode == Decode::kKeyframes && !drained_) {
      avcodec_flush_buffers(codec_.get());
      feed(clock);
      continue;
    }
    if (code == AVERROR_EOF) return nullptr;
    if (code != AVERROR(EAGAIN)) {
      count_failure(code);
    } else if (!drained_) {
      feed(clock);
    } else {
      return nullptr;
    }
  }
}

}  // namespace palisade
