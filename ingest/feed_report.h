#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "ingest/source/source.h"

namespace palisade {

enum class FeedState {
  kConnecting,
  kOnline,
  kStalled,
  kReconnecting,
  kAuthFailed,
  kUnreadable,
  kEnded,
  kRemoved,
  kCrashed,  // the camera's own process has died, or had to be killed
};
std::string_view name_of(FeedState state);  // "connecting", "online", ... of service/schema/state.v1.json

FeedState state_of(SourceFault fault);  // the state while the fault lasts

// A change of a stream's state, as subscribers of STREAM/state see it. Never holds a password.
struct FeedReport {
  std::string stream;
  FeedState state = FeedState::kConnecting;
  std::string reason;  // empty where there is nothing to explain
  WallTime since{};
  int attempt = 0;  // number of the current attempt, from 1
  std::chrono::milliseconds next_try_in{0};
  int width = 0;  // of the picture, once known
  int height = 0;
};

}  // namespace palisade
