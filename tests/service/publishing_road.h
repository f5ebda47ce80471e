#pragma once

#include <string>
#include <utility>

#include "service/events/event_road.h"
#include "service/zeromq/publisher.h"

namespace palisade {

// An EventRoad with a Publisher as its sink, as in the service.
class PublishingRoad {
 public:
  explicit PublishingRoad(EventRoadOptions options = {.heartbeat = std::chrono::minutes(1)},
                          EventRoad::Status status = {}, const std::string& endpoint = "tcp://127.0.0.1:*")
      : publisher_({.endpoint = endpoint}), road_(std::move(options), {&publisher_}, std::move(status)) {}

  void publish(EventRecord record) { road_.publish(std::move(record)); }
  std::uint64_t unpublished() const { return road_.unpublished(); }
  const std::string& endpoint() const { return publisher_.endpoint(); }

 private:
  Publisher publisher_;
  EventRoad road_;
};

}  // namespace palisade
