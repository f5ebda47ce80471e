#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "service/engine/request.h"

namespace palisade {

// The only way to the engine. Each stream has a lane with the newest `kStreamDepth` clips of every series
// (the clips of one sampling); a full lane drops its own oldest clip. The lane for people refuses when it is
// full. Lanes are served in turn by weight, people first. Any thread.
class RequestQueue {
 public:
  static constexpr std::size_t kStreamDepth = 2;
  static constexpr std::size_t kPeopleDepth = 32;
  static constexpr std::size_t kMaxLeft = 1024;  // who have left and wait to be told so
  static constexpr int kMaxWeight = 4;

  // Never waits. Returns the number of requests dropped for this one, 0 or 1; they are counted in
  // `dropped_before` of the series' next request. After close() the request itself is dropped.
  std::uint64_t push(const std::string& stream, int series, Request request);
  // False where the lane is full or closed. Those who have left take no place in it.
  bool push_person(Request request);
  // Takes out the people's requests that nobody waits for any more. Called by the engine's thread alone.
  std::vector<Request> take_cancelled();

  // Sets a lane's share of turns under load: 1, 2 or 4 (the default).
  void set_weight(const std::string& stream, int weight);
  // Removes a stream's lane with everything in it.
  void remove(const std::string& stream);

  // Waits for a request; nothing once the queue is closed and empty. Called by the engine's thread alone.
  std::optional<Request> pop();

  // The same without waiting; with `people_alone` only from the lane for people.
  std::optional<Request> try_pop(bool people_alone);

  // Takes no more requests; those in the queue are still served.
  void close();
  // Takes no more requests and drops those in the queue.
  void abandon();
  std::size_t size() const;

 private:
  struct QueuedRequest {
    int series = 0;
    Request request;
  };
  struct Lane {
    std::deque<QueuedRequest> waiting;
    std::map<int, std::uint64_t> dropped;  // by series, not yet reported
    int weight = kMaxWeight;
  };
  // Moves the people who have left to left_. Called with the lock held.
  void set_aside_cancelled();
  Request take_from(Lane& lane);
  Request take_next();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  // All below is guarded by mutex_.
  std::deque<Request> people_;
  std::vector<Request> left_;  // cancelled, without their clips, for take_cancelled(); not in size_
  std::map<std::string, Lane> lanes_;
  unsigned round_ = 0;
  std::string last_served_;  // in this round; empty: none yet
  std::size_t size_ = 0;
  bool closed_ = false;
};

}  // namespace palisade
