#include "ingest/ffmpeg/ffmpeg_rtsp.h"

#include <cctype>
#include <new>
#include <utility>

#include "base/redaction.h"
#include "ingest/rtsp/rtsp_faults.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

constexpr int kMaxRtspRedirects = 5;
constexpr std::size_t kMaxLogin = 127;  // FFmpeg cuts what is longer
constexpr std::chrono::milliseconds kProbe{2'000};
constexpr std::chrono::milliseconds kLastProbe{300};  // after open_timeout was used up

void check_login(const RtspAddress& address, const std::string& shown) {
  const std::string whole = address.url_with_credentials();
  const std::size_t login = whole.size() - address.url().size();
  const bool colon = address.username.find(':') != std::string::npos;
  if (login <= kMaxLogin && !colon) return;
  throw SourceError(SourceFault::kRefused,
                    shown + (colon ? ": a user name with ':'" : ": a user name and password this long") +
                        " is read by reader: gstreamer alone; set that");
}

}  // namespace

FfmpegRtsp::FfmpegRtsp(const SourceOptions& options, Deadline& deadline)
    : options_(options),
      deadline_(deadline),
      shown_(redact_text(redact_url(options.url), options.password)),
      address_(rtsp_address(options)) {
  check_login(address_, shown_);
}

// Also interrupts where FFmpeg has gone to another address.
AVIOInterruptCB FfmpegRtsp::callback() {
  return {[](void* self) {
            const auto& rtsp = *static_cast<FfmpegRtsp*>(self);
            const bool elsewhere = rtsp.opening_ != nullptr && rtsp.opening_->url != nullptr &&
                                   rtsp.asked_ != rtsp.opening_->url;
            return int(elsewhere || rtsp.deadline_.passed());
          },
          this};
}

void FfmpegRtsp::hear(AVFormatContext& context, std::string_view pattern, std::va_list arguments) {
  if (pattern == "line='%s'\n") {
    // FFmpeg's own buffer, which it parses after logging it.
    char* const line = va_arg(arguments, char*);
    const std::string_view text(line);
    dialogue_.hear_line(text);
    if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
      std::string name;
      for (const char c : text.substr(0, colon)) name += char(std::tolower(static_cast<unsigned char>(c)));
      if (name == "transport") disarm_transport(line + colon + 1);
      if (name == "www-authenticate") {
        spell_algorithm(line + colon + 1);
        const std::size_t value = text.find_first_not_of(' ', colon + 1);
        if (value != std::string_view::npos && !can_be_answered(text.substr(value))) line[0] = '-';
      }
    }
  } else if (pattern == "sdp: %c='%s'\n") {
    const int letter = va_arg(arguments, int);
    const char* const text = va_arg(arguments, char*);
    if (letter == 'm') dialogue_.hear_media(text);
    if (letter == 'a') dialogue_.hear_attribute(text);
  } else if (pattern == "SDP:\n%s\n") {
    dialogue_.hear_description();
  } else if (pattern.starts_with("Status %d: Redirecting")) {
    // FFmpeg is about to follow a redirection: without any protocol it cannot.
    av_freep(&context.protocol_whitelist);
    context.protocol_whitelist = av_strdup("none");
  }
}

Av<AVFormatContext> FfmpegRtsp::open(AvOptions& av) {
  AVFormatContext* format = avformat_alloc_context();
  if (format == nullptr) throw std::bad_alloc();
  dialogue_.forget();
  asked_ = address_.url_with_credentials();
  opening_ = format;
  format->opaque = this;
  format->interrupt_callback = callback();
  // Frees the context itself where it fails.
  int code = avformat_open_input(&format, asked_.c_str(), nullptr, av.entries());
  if (code < 0) opening_ = nullptr;
  Av<AVFormatContext> opened(code < 0 ? nullptr : format);
  if (opened != nullptr) check_video(*opened);
  if (opened != nullptr) code = av_read_play(opened.get());
  if (code >= 0) return opened;
  opened.reset();
  opening_ = nullptr;
  const RtspAnswer answer = dialogue_.last();
  if (deadline_.passed() || !answer.redirects() || answer.location.empty()) fail(code);
  follow();
  return {};
}

// Checks the description before anything plays.
void FfmpegRtsp::check_video(const AVFormatContext& format) const {
  if (dialogue_.carries_transport_stream()) return;  // whose content shows only while it plays
  if (format.nb_streams == 0) throw SourceError(SourceFault::kUnreadable, shown_ + ": has no video");
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    if (format.streams[i]->codecpar->codec_id != AV_CODEC_ID_NONE) return;
  }
  throw SourceError(SourceFault::kUnreadable, shown_ + unknown_encoding_text(dialogue_.encoding()));
}

void FfmpegRtsp::follow() {
  if (++redirects_ > kMaxRtspRedirects) {
    throw SourceError(SourceFault::kUnreachable,
                      shown_ + ": redirects in a circle: give the stream's own address");
  }
  address_ = redirected_rtsp(address_, dialogue_.last().location, options_);
}

void FfmpegRtsp::fail(int code) {
  if (deadline_.stopped()) throw SourceError(SourceFault::kInterrupted, shown_ + ": stopped while opening");
  const std::string logged = redact_text(take_ffmpeg_error(), address_.password);
  if (const auto fault = fault_of(dialogue_.last(), address_, shown_)) throw *fault;
  const bool in_time = !deadline_.passed();
  // A look-up that used up the time is not repeated.
  const bool nameless = logged.find("Failed to resolve hostname") != std::string::npos;
  if (nameless && !in_time) throw unknown_host(address_, shown_);
  if (dialogue_.last().status == 0) {
    const auto patience = in_time ? kProbe : kLastProbe;
    if (const auto fault = connection_fault(address_, shown_, patience, deadline_.stop())) throw *fault;
  }
  if (!in_time) throw no_answer(shown_, options_.open_timeout);
  throw SourceError(SourceFault::kUnreachable, shown_ +
                                                   ": broke off while it was opened: " + ffmpeg_text(code) +
                                                   (logged.empty() ? "" : " (" + logged + ")") +
                                                   ": is this the address of a video stream?");
}

}  // namespace palisade
