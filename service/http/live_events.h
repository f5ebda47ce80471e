#pragma once

#include <memory>

#include "service/http/api.h"

namespace palisade {

// Events as they are stored, as server-sent events: `id:` is the position in the journal, from which
// `Last-Event-ID` goes on. One thread reads the journal for all who listen.
class LiveEvents {
 public:
  explicit LiveEvents(HttpBackend& backend);
  ~LiveEvents();  // ends all streams
  LiveEvents(const LiveEvents&) = delete;
  LiveEvents& operator=(const LiveEvents&) = delete;

  // GET /api/v1/live?prefix=palisade/v1/gate/
  void add_route(HttpRouter& router);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palisade
