#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "service/engine/request.h"

namespace palisade {

// The only hand-over to the engine. A lane per stream holds its newest `kStreamDepth` clips of every series
// (all clips of one sampling): a full one drops its own oldest, never another's. A lane for people refuses
// when it is full. Lanes are served in turn, by their weights, people first. Any thread.
class RequestQueue {
 public:
  static constexpr std::size_t kStreamDepth = 2;
  static constexpr std::size_t kPeopleDepth = 32;
  static constexpr int kMaxWeight = 4;

  // Never waits. Returns how many requests made room for this one, 0 or 1, counted in `dropped_before` of the
  // next of that series to be served. After close() the request itself is dropped.
  std::uint64_t push(const std::string& stream, int series, Request request);
  // False when the lane is full or closed: come back later.
  bool push_person(Request request);

  // How large a share of the turns a stream's lane gets when many wait: 1, 2 or 4, which it is where nothing
  // was said.
  void set_weight(const std::string& stream, int weight);
  // Drops what waits in a stream's lane, and the lane.
  void remove(const std::string& stream);

  // Waits for a request; nothing once the queue is closed and empty. One thread, the engine's.
  std::optional<Request> pop();

  // The same without waiting; with `people_alone` a person's or nothing.
  std::optional<Request> try_pop(bool people_alone);

  // No more requests; what waits is still served.
  void close();
  // No more requests, and what waits is dropped.
  void abandon();
  std::size_t size() const;

 private:
  struct QueuedRequest {
    int series = 0;
    Request request;
  };
  struct Lane {
    std::deque<QueuedRequest> waiting;
    std::map<int, std::uint64_t> dropped;  // per series, not yet told
    int weight = kMaxWeight;
  };
  Request take_from(Lane& lane);
  Request take_next();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  // All below is guarded by mutex_.
  std::deque<Request> people_;
  std::map<std::string, Lane> lanes_;
  unsigned round_ = 0;
  std::string last_served_;  // in this round; empty where none was
  std::size_t size_ = 0;
  bool closed_ = false;
};

}  // namespace palisade
