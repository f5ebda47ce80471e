#include "service/engine/request_queue.h"

#include <algorithm>
#include <utility>

#include "base/format.h"

namespace palisade {

std::uint64_t RequestQueue::push(const std::string& stream, int series, Request request) {
  request.queued = std::chrono::steady_clock::now();
  // Destroyed after the lock, because freeing a request may take long.
  std::optional<Request> dropped;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return 1;
    Lane& lane = lanes_[stream];
    const auto same = [series](const QueuedRequest& waiting) { return waiting.series == series; };
    if (std::size_t(std::ranges::count_if(lane.waiting, same)) >= kStreamDepth) {
      const auto oldest = std::ranges::find_if(lane.waiting, same);
      dropped = std::move(oldest->request);
      lane.waiting.erase(oldest);
      lane.dropped[series] += 1 + dropped->dropped_before;
      --size_;
    }
    request.series = format("{} {}", stream, series);
    lane.waiting.push_back({series, std::move(request)});
    ++size_;
  }
  wake_.notify_one();
  return dropped ? 1 : 0;
}

bool RequestQueue::push_person(Request request) {
  request.queued = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    if (people_.size() >= kPeopleDepth) set_aside_cancelled();
    if (people_.size() >= kPeopleDepth || left_.size() >= kMaxLeft) return false;
    request.person = true;
    people_.push_back(std::move(request));
    ++size_;
  }
  wake_.notify_one();
  return true;
}

void RequestQueue::set_aside_cancelled() {
  std::deque<Request> stay;
  for (Request& request : people_) {
    if (!is_cancelled(request)) {
      stay.push_back(std::move(request));
      continue;
    }
    request.clip = {};
    left_.push_back(std::move(request));
  }
  size_ -= people_.size() - stay.size();
  people_ = std::move(stay);
}

std::vector<Request> RequestQueue::take_cancelled() {
  const std::lock_guard lock(mutex_);
  set_aside_cancelled();
  return std::exchange(left_, {});
}

Request RequestQueue::take_from(Lane& lane) {
  auto [series, request] = std::move(lane.waiting.front());
  lane.waiting.pop_front();
  request.dropped_before += std::exchange(lane.dropped[series], 0);
  return std::move(request);
}

// Called with the lock held and a request in the queue.
Request RequestQueue::take_next() {
  --size_;
  if (!people_.empty()) {
    Request request = std::move(people_.front());
    people_.pop_front();
    return request;
  }
  // In each round every lane has one turn; a lane of low weight sits out some rounds.
  for (;; ++round_, last_served_.clear()) {
    for (auto lane = lanes_.upper_bound(last_served_); lane != lanes_.end(); ++lane) {
      if (lane->second.waiting.empty() || round_ % (kMaxWeight / lane->second.weight) != 0) continue;
      last_served_ = lane->first;
      return take_from(lane->second);
    }
  }
}

void RequestQueue::set_weight(const std::string& stream, int weight) {
  const std::lock_guard lock(mutex_);
  lanes_[stream].weight = weight;
}

void RequestQueue::remove(const std::string& stream) {
  Lane removed;  // destroyed after the lock
  const std::lock_guard lock(mutex_);
  const auto lane = lanes_.find(stream);
  if (lane == lanes_.end()) return;
  removed = std::move(lane->second);
  size_ -= removed.waiting.size();
  lanes_.erase(lane);
}

std::optional<Request> RequestQueue::pop() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return size_ > 0 || closed_; });
  if (size_ == 0) return std::nullopt;
  return take_next();
}

std::optional<Request> RequestQueue::try_pop(bool people_alone) {
  const std::lock_guard lock(mutex_);
  if (size_ == 0 || (people_alone && people_.empty())) return std::nullopt;
  return take_next();
}

void RequestQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  wake_.notify_all();
}

void RequestQueue::abandon() {
  std::deque<Request> people;
  std::vector<Request> left;
  std::map<std::string, Lane> lanes;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    people.swap(people_);
    left.swap(left_);
    lanes.swap(lanes_);
    size_ = 0;
  }
  wake_.notify_all();
}

std::size_t RequestQueue::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

}  // namespace palisade
