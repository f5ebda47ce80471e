#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "frames/frame.h"
#include "frames/sampling.h"
#include "ingest/source/networks.h"

namespace palisade {

// kAuto asks for TCP, and for UDP if the server refuses TCP.
enum class RtspTransport { kAuto, kTcp, kUdp };

// The library that reads rtsp(s) addresses.
enum class RtspReader { kFfmpeg, kGstreamer };

// kAsNeeded: only keyframes if no sampling of the stream takes other frames; decoding_for() decides this.
enum class Decode { kAsNeeded, kAll, kKeyframes };

// kAuto decodes on the graphics processor if there is one that can, otherwise in software.
enum class Hardware { kNone, kAuto };

// Where frames come from, and how. `url` may contain credentials: print it only through redact_url().
struct SourceOptions {
  std::string url;
  std::string username;  // an alternative to credentials in the URL that needs no percent-encoding
  std::string password;
  RtspTransport transport = RtspTransport::kAuto;
  RtspReader reader = RtspReader::kFfmpeg;
  Decode decode = Decode::kAsNeeded;  // sources treat kAsNeeded as kAll
  std::chrono::milliseconds open_timeout{10'000};
  std::chrono::milliseconds stall_timeout{10'000};  // no frame for this long is a fault
  // It is also a fault if a camera sends packets, but no keyframe, for this long after it was opened.
  std::chrono::milliseconds keyframe_timeout{30'000};
  // Whether gst: URLs are allowed. They run any pipeline, so only configuration and command line may allow
  // them.
  bool allow_launch = false;
  Hardware hardware = Hardware::kNone;
  // Hosts (HOST or HOST:PORT) to which the address may redirect, besides its own.
  std::vector<std::string> redirect_hosts;
  // Where its hosts have to be; empty: anywhere. Held by the connections of a stream's own process.
  std::vector<Network> networks;
  std::string tls_ca;      // PEM file of certificates to trust instead of the system's; empty: the system's
  bool tls_verify = true;  // false: any certificate is accepted
  // Time between two pictures of a folder, and between two requests to an http(s) address of a single
  // picture.
  std::chrono::milliseconds frame_interval{1'000};
  int max_pixels = 33'177'600;

  bool operator==(const SourceOptions&) const = default;
};

inline constexpr int kMaxSide = 16'384;  // most pixels of a picture's width and height

// If only keyframes are decoded, a live stream without one for so many stall_timeouts is unreadable. Cameras
// send a keyframe every few seconds; those that save bandwidth, twice a minute.
inline constexpr int kKeyframeStalls = 10;

// Why a source cannot be opened or go on.
enum class SourceFault {
  kUnreachable,  // refused, no such host, timed out while opening
  kAuthFailed,   // wrong user name or password
  kStalled,      // open, but no frame within stall_timeout
  kUnreadable,   // no video, unknown format, over the limits, wrong file
  kInterrupted,  // the stop token fired
  kRefused,      // the URL's scheme or form, or a redirection, is not allowed
  kHung,         // a call into a library does not return; its thread is abandoned
};

// `what()` names the thing and the remedy, with credentials redacted.
class SourceError : public Error {
 public:
  SourceError(SourceFault fault, const std::string& message) : Error(message), fault_(fault) {}
  SourceFault fault() const { return fault_; }

 private:
  SourceFault fault_;
};

// The message for a camera that has sent no keyframe for `time`.
inline std::string no_keyframe_text(const std::string& time) {
  return "no key frame for " + time + ": let the camera send one every few seconds";
}

// Pictures that were skipped because they cannot be read.
struct SkippedPictures {
  std::uint64_t pictures = 0;
  std::string last;  // the last one's name, and why

  // "3 pictures were skipped; the last: ..."
  std::string text() const;
  void add(SkippedPictures more);
};

// What has been received since a stream was opened: bytes of its pictures, and how long the reader waited for
// data (nothing if this is not measured).
struct Intake {
  std::uint64_t bytes = 0;
  std::optional<std::chrono::nanoseconds> waited;
};

// An opened stream of frames, used by one thread.
class Source {
 public:
  virtual ~Source() = default;
  // Waits for the next frame for which `wanted` returns true, and returns it in the camera's own size.
  // `wanted` is called exactly once for every decoded frame, in order; each of them shows that the stream has
  // not stalled. If only keyframes are decoded, the packets between them show it too. Returns nothing at the
  // end, which for a live source is a fault that the caller handles. Throws SourceError if the stream breaks
  // or stalls, and within 100 ms of a stop request.
  virtual std::optional<Frame> next(const Wanted& wanted) = 0;
  // True for cameras: if such a source ends, it is to be opened again.
  virtual bool live() const = 0;
  // True if every picture is requested by itself, as from a folder or a snapshot address.
  virtual bool stills() const { return false; }
  // What a user should know about how the source is read, such as a decoder that is missing; usually empty.
  // Final once a frame has been returned.
  virtual std::string remark() const { return {}; }
  // What has been skipped since the last call.
  virtual SkippedPictures take_skipped() { return {}; }
  // Media time of the end, if it is known (files), to show progress.
  virtual std::optional<MediaTime> duration() const { return std::nullopt; }
  // intake() and clock_error() may also be called from within `wanted`; they include the frame in question.
  virtual Intake intake() const { return {}; }
  // How far the sender's clock is ahead of this machine's (negative: behind). Nothing if the difference is
  // small enough for the sender's times to be used.
  virtual std::optional<std::chrono::milliseconds> clock_error() const { return std::nullopt; }
};

// The options with `decode` and `frame_interval` set to what these samplings need.
SourceOptions decoding_for(std::span<const Sampling> samplings, SourceOptions options);

}  // namespace palisade
