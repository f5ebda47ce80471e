#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "frames/pair_matcher.h"

namespace palisade {

// Pairs frames of two streams: a task of the first stream waits for pairs, and both streams offer their
// frames, each on its own thread. Thread-safe; no lock is held while a pair is delivered.
class Pairings {
 public:
  using Deliver = std::function<void(Clip pair)>;
  // Called when frames of the first stream found no partner: how many, and why the last one found none.
  using Miss = std::function<void(std::uint64_t count, const PairMiss& last)>;

  // `id` names the first stream and its task. `deliver` and `miss` are called on either stream's thread.
  void begin(const std::string& id, std::chrono::milliseconds allowed_gap, Deliver deliver, Miss miss = {});
  void end(const std::string& id);
  // Both ignore a frame if there is no pairing of that id.
  void offer_first(const std::string& id, Frame frame);
  void offer_second(const std::string& id, Frame frame);

 private:
  struct Pairing {
    Pairing(std::chrono::milliseconds gap, Deliver its_deliver, Miss its_miss)
        : matcher(gap), deliver(std::move(its_deliver)), miss(std::move(its_miss)) {}
    std::mutex mutex;
    PairMatcher matcher;  // guarded by mutex
    const Deliver deliver;
    const Miss miss;
  };
  void offer(const std::string& id, Frame frame, std::vector<Clip> (PairMatcher::*offer_to)(Frame));

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Pairing>> pairings_;  // guarded by mutex_
};

}  // namespace palisade
