#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "ingest/source/source.h"

namespace palisade {

using OpenSource = std::function<std::unique_ptr<Source>(const SourceOptions&, std::stop_token)>;

// Opens a source on a thread of its own, where it is read and closed as well. Whoever reads it can always go
// on: after a stop, or at its own end, the source has `kPatience` to come back, whatever a demuxer, a name
// lookup or a driver does; after that next() throws (kInterrupted) and the thread is left behind with all it
// owns, to end when it comes back. The same where it neither comes back nor offers a frame for longer than
// longest_silence() without a stop (kHung). `wanted` runs on that thread, while next() waits, and never after
// it; what it waits for itself is no silence. An earlier reader of the address that was left behind has
// open_timeout to come back before it is opened again; where kMaxLeftBehind have not, it is not (kHung).
// Throws SourceError.
std::unique_ptr<Source> open_apart(OpenSource open, const SourceOptions& options, std::stop_token stop);

inline constexpr std::chrono::milliseconds kPatience{1'500};
inline constexpr int kMaxLeftBehind = 3;  // of one address

// Longer than a source of these options takes to open, or to bring a frame or a fault, unless it hangs.
struct LongestSilence {
  std::chrono::milliseconds opening;
  std::chrono::milliseconds reading;
};
LongestSilence longest_silence(const SourceOptions& options);

// How many threads of this process have been left behind and have not come back. While there are any, only
// _exit() ends it safely: they use what the end of main() would destroy.
int readers_left_behind();
// How many of them read this address.
int readers_left_behind(const std::string& url);

}  // namespace palisade
