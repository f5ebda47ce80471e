#pragma once

#include <stdexcept>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "base/json.h"
#include "tasks/events/event.h"

namespace palisade {

// A subscriber that waits for events that must come, and throws if one does not come in a long time.
class Subscriber {
 public:
  Subscriber(const std::string& endpoint, const std::vector<std::string>& prefixes,
             int high_water_mark = 100'000)
      : socket_(context_, zmq::socket_type::sub) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::rcvhwm, high_water_mark);
    socket_.set(zmq::sockopt::rcvtimeo, 30'000);
    for (const std::string& prefix : prefixes) socket_.set(zmq::sockopt::subscribe, prefix);
    socket_.connect(endpoint);
  }

  // The next event of this topic; skips others.
  Json next_of(const std::string& topic) {
    while (true) {
      auto [seen, event] = next();
      if (seen == topic) return event;
    }
  }

  std::pair<std::string, Json> next() {
    zmq::message_t topic, text;
    if (!socket_.recv(topic) || !topic.more() || !socket_.recv(text))
      throw std::runtime_error("no event came");
    return {topic.to_string(), parse_json(text.to_string(), "an event")};
  }

  // Reads up to this sequence number; false if it is missing.
  bool skip_to(const std::string& topic, std::uint64_t sequence) {
    while (true) {
      const std::string seen = next_of(topic)["sequence"];
      if (seen >= sequence_text(sequence)) return seen == sequence_text(sequence);
    }
  }

 private:
  zmq::context_t context_{1};
  zmq::socket_t socket_;
};

}  // namespace palisade
