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

namespace palisade {

// kAuto asks for TCP and takes UDP from a server that refuses it.
enum class RtspTransport { kAuto, kTcp, kUdp };

// Which library reads rtsp(s) addresses.
enum class RtspReader { kFfmpeg, kGstreamer };

// kAsNeeded: keyframes alone where every sampling of the stream takes no others, as decoding_for() finds.
enum class Decode { kAsNeeded, kAll, kKeyframes };

// kAuto decodes by the graphics processor where the machine has one that can, else in software.
enum class Hardware { kNone, kAuto };

// Where frames come from and how patient we are. `url` may hold credentials: it is never printed, show it
// through redact_url().
struct SourceOptions {
  std::string url;
  std::string username;  // beside the URL, so that they need no percent-encoding
  std::string password;
  RtspTransport transport = RtspTransport::kAuto;
  RtspReader reader = RtspReader::kFfmpeg;
  Decode decode = Decode::kAsNeeded;  // a source of its own takes kAsNeeded for kAll
  std::chrono::milliseconds open_timeout{10'000};
  std::chrono::milliseconds stall_timeout{10'000};  // no frame for this long is a fault
  // Packets of an opened camera, but no key frame to begin with, for this long is one too.
  std::chrono::milliseconds keyframe_timeout{30'000};
  bool allow_launch = false;  // gst: lines run any pipeline: only from the configuration file or command line
  Hardware hardware = Hardware::kNone;
  // Hosts (HOST or HOST:PORT) that the address may redirect to, beside its own.
  std::vector<std::string> redirect_hosts;
  std::string tls_ca;      // PEM file of certificates to trust instead of the system's; empty: the system's
  bool tls_verify = true;  // false: any certificate is taken
  // From one picture of a folder to the next, or of an http(s) address that gives a single one.
  std::chrono::milliseconds frame_interval{1'000};
  int max_pixels = 33'177'600;

  bool operator==(const SourceOptions&) const = default;
};

inline constexpr int kMaxSide = 16'384;  // pixels of a picture's width and of its height

// Where keyframes alone are decoded, a live stream without any for so many stall_timeouts is unreadable.
// Cameras send one every few seconds, those that save bandwidth twice a minute.
inline constexpr int kKeyframeStalls = 10;

// Why a source cannot be opened or go on.
enum class SourceFault {
  kUnreachable,  // refused, no such host, timed out while opening
  kAuthFailed,   // wrong user name or password
  kStalled,      // open, but no frame within stall_timeout
  kUnreadable,   // no video, unknown format, over the limits, a wrong file
  kInterrupted,  // the stop token fired
  kRefused,      // the URL's scheme or form, or where it leads to, is not allowed
  kHung,         // a library does not come back: its thread is left behind
};

// `what()` names the thing and the remedy, with credentials redacted.
class SourceError : public Error {
 public:
  SourceError(SourceFault fault, const std::string& message) : Error(message), fault_(fault) {}
  SourceFault fault() const { return fault_; }

 private:
  SourceFault fault_;
};

// Why packets without a picture are a fault, after `time`.
inline std::string no_keyframe_text(const std::string& time) {
  return "no key frame for " + time + ": let the camera send one every few seconds";
}

// Pictures that were passed over because they cannot be read.
struct SkippedPictures {
  std::uint64_t pictures = 0;
  std::string last;  // which one, and why

  // "3 pictures were skipped; the last: ..."
  std::string text() const;
  void add(SkippedPictures more);
};

// What of a stream has come in since it was opened: bytes of its pictures, and for how long the reader had
// nothing to do but wait for more. Nothing where nobody measures it.
struct Intake {
  std::uint64_t bytes = 0;
  std::optional<std::chrono::nanoseconds> waited;
};

// An opened stream of frames, used by one thread.
class Source {
 public:
  virtual ~Source() = default;
  // Waits for the next frame whose stamp is `wanted` and returns it at the camera's own size. Every frame
  // decoded, wanted or not, counts as a sign of life and is offered to `wanted` exactly once, in order. Where
  // only keyframes are decoded, the packets between them are signs of life too.
  // Nothing means the end; for a live source the caller treats that as a fault. Throws SourceError when the
  // stream breaks, stalls or is interrupted (within 100 ms of the stop).
  virtual std::optional<Frame> next(const Wanted& wanted) = 0;
  // True for cameras: their end is a loss to be mended, not the end of the work.
  virtual bool live() const = 0;
  // True where it gives single pictures, each asked for by us, and no film.
  virtual bool stills() const { return false; }
  // What a user should know of how it is read, such as a decoder that is not there; empty where there is
  // nothing to say. Settled once a frame has been returned.
  virtual std::string remark() const { return {}; }
  // What has been skipped since this was last asked.
  virtual SkippedPictures take_skipped() { return {}; }
  // Media time at which the medium ends, where it is known (files), for progress.
  virtual std::optional<MediaTime> duration() const { return std::nullopt; }
  // These two up to the frame that `wanted` is asked about, and while it is.
  virtual Intake intake() const { return {}; }
  // How far ahead of this machine's the sender's clock is (below zero: behind), where that is so far that its
  // word on when frames were taken is not taken.
  virtual std::optional<std::chrono::milliseconds> clock_error() const { return std::nullopt; }
};

// The options with `decode`, and how often a single picture of an http(s) address is asked for, settled for
// these samplings.
SourceOptions decoding_for(std::span<const Sampling> samplings, SourceOptions options);

}  // namespace palisade
