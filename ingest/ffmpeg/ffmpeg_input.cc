#include "ingest/ffmpeg/ffmpeg_input.h"

#include <cerrno>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/format.h"
#include "base/redaction.h"
#include "ingest/ffmpeg/ffmpeg_container.h"
#include "ingest/ffmpeg/ffmpeg_log.h"
#include "ingest/ffmpeg/ffmpeg_times.h"
#include "ingest/ffmpeg/ffmpeg_whitelist.h"
#include "ingest/rtsp/rtsp_faults.h"
#include "ingest/source/refused_file.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

constexpr std::int64_t kProbeBytes = 5'000'000;
constexpr std::int64_t kAnalyzeMicroseconds = 5'000'000;
constexpr std::int64_t kMaxStreams = 32;
constexpr std::chrono::milliseconds kGoodbye{50};

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 64)) out += c > 0x20 && c < 0x7f ? c : '?';
  return out;
}

int refuse_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

const char* protocols_of(const std::string& url) {
  // Other sources are read by FileInput and HttpInput.
  return scheme_of(url).starts_with("rtsp") ? "rtsp,rtp,udp,tcp" : "none";
}

void set_options(AvOptions& av, const SourceOptions& options) {
  const std::string scheme = scheme_of(options.url);
  av.set("protocol_whitelist", protocols_of(options.url));
  av.set("format_whitelist", scheme.starts_with("rtsp") ? kRtspFormats : kContainers);
  av.set("codec_whitelist", kDecoders);
  av.set("probesize", kProbeBytes);
  av.set("analyzeduration", kAnalyzeMicroseconds);
  av.set("max_streams", kMaxStreams);
  av.set("fflags", "+discardcorrupt");
  if (!names_file(options.url))
    av.set("fpsprobesize", std::int64_t(0));  // otherwise pictures are held back to guess a frame rate
  if (scheme.starts_with("rtsp")) {
    av.set("rtsp_transport", options.transport == RtspTransport::kAuto  ? "tcp+udp"
                             : options.transport == RtspTransport::kUdp ? "udp"
                                                                        : "tcp");
    if (options.transport == RtspTransport::kAuto) av.set("rtsp_flags", "prefer_tcp");
    // A camera may drop packets over TCP too, which FFmpeg notices only with a reorder queue. Over UDP the
    // default is 500.
    if (options.transport == RtspTransport::kTcp) av.set("reorder_queue_size", std::int64_t(2));
    if (options.transport == RtspTransport::kAuto) av.set("reorder_queue_size", std::int64_t(16));
    av.set("allowed_media_types", "video");
    av.set("initial_pause", std::int64_t(1));  // plays only after video was found
    av.set("max_ts_probe",
           std::int64_t(0));  // otherwise seven pictures are held back to guess decoding times
  }
}

SourceFault fault_of_open(int code, bool network) {
  switch (code) {
    case AVERROR_HTTP_UNAUTHORIZED:
    case AVERROR_HTTP_FORBIDDEN:
      return SourceFault::kAuthFailed;
    case AVERROR_HTTP_NOT_FOUND:
    case AVERROR_HTTP_BAD_REQUEST:
    case AVERROR_HTTP_OTHER_4XX:
    case AVERROR_HTTP_SERVER_ERROR:
    case AVERROR_EOF:
    case AVERROR(EIO):
    case AVERROR(ECONNREFUSED):
    case AVERROR(ECONNRESET):
    case AVERROR(EPIPE):
    case AVERROR(ETIMEDOUT):
    case AVERROR(EHOSTUNREACH):
    case AVERROR(ENETUNREACH):
    case AVERROR(EADDRNOTAVAIL):
      return network ? SourceFault::kUnreachable : SourceFault::kUnreadable;
    default:
      return SourceFault::kUnreadable;
  }
}

const char* remedy_of(SourceFault fault, bool network) {
  if (fault == SourceFault::kAuthFailed) return ": check its user name and password";
  if (fault == SourceFault::kUnreachable) return ": is it on, and are address, port and path right?";
  return network ? ": is this the address of a video stream?" : ": is this a video file?";
}

// Sets the limits of streams before their codecs are probed.
int find_stream_info(AVFormatContext& format, int max_pixels) {
  const unsigned count = format.nb_streams;
  std::vector<AVDictionary*> per_stream(count, nullptr);
  for (AVDictionary*& entry : per_stream) av_dict_set_int(&entry, "max_pixels", max_pixels, 0);
  const int code = avformat_find_stream_info(&format, per_stream.data());
  for (AVDictionary*& entry : per_stream) av_dict_free(&entry);
  return code;
}

}  // namespace

FfmpegInput::FfmpegInput(const SourceOptions& options, std::stop_token stop, std::optional<OpenedHttp> http)
    : deadline_(std::move(stop)) {
  quiet_ffmpeg();
  take_ffmpeg_error();
  take_lost_packets();
  deadline_.arm(options.open_timeout);
  if (http) {
    deadline_.arm_until(http->open_until);
    http_live_ = http->live;
    http_ = std::make_unique<HttpInput>(std::move(http->stream), deadline_);
  }
  open(options);
  find_video(options);
}

FfmpegInput::~FfmpegInput() {
  deadline_.arm_for_closing(kGoodbye);
}

void FfmpegInput::open(const SourceOptions& options) {
  if (scheme_of(options.url).starts_with("rtsp")) return open_rtsp(options);
  begins_now_ = scheme_of(options.url) == "street";
  AVFormatContext* format = avformat_alloc_context();
  if (format == nullptr) throw std::bad_alloc();
  format->interrupt_callback = deadline_.callback();
  Av<AVFormatContext> owner(format);
  if (http_ == nullptr) file_ = std::make_unique<FileInput>(path_of(options.url), deadline_);
  owner.release();
  format->pb = http_ != nullptr ? http_->io() : file_->io();
  format->io_open = refuse_open;
  format->opaque = &bounds_;
  AvOptions av;
  set_options(av, options);
  // Frees the context itself where it fails.
  const int code = avformat_open_input(&format, "", nullptr, av.entries());
  if (code < 0) fail_to_open(code, options);
  format_.reset(format);
}

void FfmpegInput::open_rtsp(const SourceOptions& options) {
  rtsp_ = std::make_unique<FfmpegRtsp>(options, deadline_);
  while (format_ == nullptr) {
    AvOptions av;
    set_options(av, options);
    format_ = rtsp_->open(av);
  }
}

void FfmpegInput::find_video(const SourceOptions& options) {
  if (const int code = find_stream_info(*format_, options.max_pixels); code < 0) fail_to_open(code, options);
  if (deadline_.passed()) fail_to_open(AVERROR_EXIT, options);
  video_ = av_find_best_stream(format_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  // The cover of a song counts as video to FFmpeg.
  if (video_ < 0 || (video().disposition & AV_DISPOSITION_ATTACHED_PIC) != 0) {
    fail_without_video(options);
  }
  const AVCodecParameters& codec = *video().codecpar;
  const bool too_large = std::int64_t(codec.width) * codec.height > options.max_pixels;
  if (too_large || codec.width > kMaxSide || codec.height > kMaxSide) {
    throw SourceError(SourceFault::kUnreadable,
                      format("{}: {} x {} is over the limit of {} pixels: use a smaller stream",
                             redact_url(options.url), codec.width, codec.height, options.max_pixels));
  }
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    if (int(i) != video_) format_->streams[i]->discard = AVDISCARD_ALL;
  }
}

void FfmpegInput::fail_without_video(const SourceOptions& options) const {
  bool sound = false;
  for (unsigned i = 0; i < format_->nb_streams; ++i)
    sound = sound || format_->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
  throw SourceError(SourceFault::kUnreadable,
                    redact_url(options.url) + ": has no video" + (sound ? ", only sound" : ""));
}

// Returns where a file's first bytes explain nothing.
void FfmpegInput::fail_by_kind(const std::string& shown) const {
  const std::vector<std::byte> start = file_->start();
  const auto kind = refused_file(start);
  if (kind) throw SourceError(SourceFault::kUnreadable, shown + ": not a film Palisade reads, but " + *kind);
  const auto container = unopened_container(start);
  if (!container) return;
  throw SourceError(SourceFault::kUnreadable, shown + ": a container of the kind \"" + *container +
                                                  "\", which Palisade does not read: make it an MP4");
}

// Returns where opening took too long.
void FfmpegInput::fail_to_open_http(const std::string& shown) const {
  if (http_->fault()) throw *http_->fault();
  if (deadline_.passed()) return;
  if (http_live_ == true && http_->ended()) {
    throw SourceError(SourceFault::kUnreachable,
                      shown + ": the connection was lost before a picture came: is the camera well?");
  }
  const std::string& type = http_->stream().answer().type;
  throw SourceError(SourceFault::kUnreadable,
                    shown + ": sends no film and no stream that Palisade reads" +
                        (type.empty() ? "" : " (it says " + printable(type) + ")") +
                        ": let it send MP4, MKV, WebM, MPEG-TS, FLV, AVI or motion JPEG");
}

void FfmpegInput::fail_to_open(int code, const SourceOptions& options) const {
  if (rtsp_ != nullptr) rtsp_->fail(code);
  const std::string shown = redact_url(options.url);
  if (!bounds_.excess().empty()) {
    throw SourceError(SourceFault::kUnreadable,
                      shown + ": " + bounds_.excess() + ": it is broken, or made to harm");
  }
  if (deadline_.stopped()) throw SourceError(SourceFault::kInterrupted, shown + ": stopped while opening");
  if (http_ != nullptr) fail_to_open_http(shown);
  const bool network = file_ == nullptr;
  if (file_ != nullptr) fail_by_kind(shown);
  if (deadline_.passed()) {
    if (network) throw no_answer(shown, options.open_timeout);
    throw SourceError(SourceFault::kUnreadable,
                      format("{}: its beginning takes longer to read than {} ms: is this a video file?",
                             shown, options.open_timeout.count()));
  }
  const SourceFault fault = fault_of_open(code, network);
  std::string detail;
  if (fault == SourceFault::kUnreadable) detail = redact_text(take_ffmpeg_error(), options.password);
  throw SourceError(fault, shown + ": " + ffmpeg_text(code) + (detail.empty() ? "" : " (" + detail + ")") +
                               remedy_of(fault, network));
}

int FfmpegInput::read(AVPacket& packet) {
  while (true) {
    av_packet_unref(&packet);
    if (deadline_.passed()) return AVERROR_EXIT;
    const auto asked = std::chrono::steady_clock::now();
    const int code = av_read_frame(format_.get(), &packet);
    *intake_.waited += std::chrono::steady_clock::now() - asked;
    if (code >= 0 && packet.stream_index == video_) intake_.bytes += std::uint64_t(packet.size);
    if (file_ != nullptr) file_->require_sound();
    if (code < 0 && deadline_.passed()) return AVERROR_EXIT;
    // A connection that was cut looks like damaged data.
    if (code < 0 && live() && http_ != nullptr && http_->ended()) return AVERROR_EOF;
    if (code < 0 || packet.stream_index == video_) return code;
  }
}

bool FfmpegInput::live() const {
  if (rtsp_ != nullptr) return true;
  return http_ != nullptr && http_live_.value_or(format_->duration == AV_NOPTS_VALUE);
}

std::optional<MediaTime> FfmpegInput::duration() const {
  if (live()) return std::nullopt;
  return end_of(*format_);
}

std::optional<WallTime> FfmpegInput::modified() const {
  if (file_ == nullptr) return std::nullopt;
  return file_->modified();
}

}  // namespace palisade
