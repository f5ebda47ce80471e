#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "ingest/source/source.h"

namespace palisade {

using OpenSource = std::function<std::unique_ptr<Source>(const SourceOptions&, std::stop_token)>;

// Opens, reads and closes a source on a thread of its own, so that a library that hangs cannot hold up the
// caller. After a stop or at its end the source has `kPatience` to return; then next() throws kInterrupted
// and the thread is left behind with all it owns. The same happens with kHung where it is silent for longer
// than longest_silence(). `wanted` runs on that thread while next() waits. A reader of the same address that
// was left behind has open_timeout to return before the address is opened again; while kMaxLeftBehind hang it
// is not opened (kHung). Throws SourceError.
std::unique_ptr<Source> open_apart(OpenSource open, const SourceOptions& options, std::stop_token stop);

inline constexpr std::chrono::milliseconds kPatience{1'500};
inline constexpr int kMaxLeftBehind = 3;  // readers of one address

// Longer than a source with these options takes to open, or to give a frame or a fault, unless it hangs.
struct LongestSilence {
  std::chrono::milliseconds opening;
  std::chrono::milliseconds reading;
};
LongestSilence longest_silence(const SourceOptions& options);

// Number of readers that were left behind and still run. While there are any, the process may only end by
// _exit(), because they use what the end of main() would destroy.
int readers_left_behind();
// The same for one address.
int readers_left_behind(const std::string& url);

}  // namespace palisade
