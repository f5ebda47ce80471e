#include "ingest/feed_report.h"

namespace palisade {

std::string_view name_of(FeedState state) {
  switch (state) {
    case FeedState::kConnecting:
      return "connecting";
    case FeedState::kOnline:
      return "online";
    case FeedState::kStalled:
      return "stalled";
    case FeedState::kReconnecting:
      return "reconnecting";
    case FeedState::kAuthFailed:
      return "auth_failed";
    case FeedState::kUnreadable:
      return "unreadable";
    case FeedState::kEnded:
      return "ended";
    case FeedState::kRemoved:
      return "removed";
    case FeedState::kCrashed:
      return "crashed";
  }
  return "unknown";
}

FeedState state_of(SourceFault fault) {
  switch (fault) {
    case SourceFault::kAuthFailed:
      return FeedState::kAuthFailed;
    case SourceFault::kUnreadable:
    case SourceFault::kRefused:
      return FeedState::kUnreadable;
    case SourceFault::kStalled:
    case SourceFault::kHung:
    case SourceFault::kUnreachable:
    case SourceFault::kInterrupted:
      break;
  }
  return FeedState::kReconnecting;
}

}  // namespace palisade
