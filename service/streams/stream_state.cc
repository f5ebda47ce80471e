#include "service/streams/stream_state.h"

#include <string>

#include "base/log.h"

namespace palisade {

StateEvent state_of(const FeedReport& report) {
  return {.state = std::string(name_of(report.state)),
          .reason = redacted(report.reason),
          .since = report.since,
          .attempt = report.attempt,
          .next_try_in = report.next_try_in,
          .width = report.width,
          .height = report.height};
}

}  // namespace palisade
