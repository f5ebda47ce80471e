#include "service/engine/request_queue.h"

#include <doctest/doctest.h>

#include <map>
#include <thread>

using namespace palisade;

namespace {

Request named(const std::string& prompt) {
  Request request;
  request.prompts = {prompt};
  return request;
}

std::string next(RequestQueue& queue) {
  return queue.pop()->prompts.at(0);
}

}  // namespace

TEST_CASE("a full lane drops its own oldest clip and no other lane's") {
  RequestQueue queue;
  CHECK(queue.push("a", 0, named("a1")) == 0);
  CHECK(queue.push("a", 0, named("a2")) == 0);
  CHECK(queue.push("b", 0, named("b1")) == 0);
  CHECK(queue.push("a", 0, named("a3")) == 1);
  CHECK(queue.size() == 3);
  CHECK(next(queue) == "a2");
  CHECK(next(queue) == "b1");
  CHECK(next(queue) == "a3");
}

TEST_CASE("what was dropped is counted in the next request of the same series, once") {
  RequestQueue queue;
  for (int i = 0; i < 5; ++i) queue.push("a", 0, named("clip"));
  queue.push("a", 1, named("other series"));
  CHECK(queue.pop()->dropped_before == 3);
  CHECK(queue.pop()->dropped_before == 0);
  CHECK(queue.pop()->dropped_before == 0);
  queue.push("a", 0, named("clip"));
  CHECK(queue.pop()->dropped_before == 0);
}

TEST_CASE("clips of one sampling do not push out those of another") {
  RequestQueue queue;
  queue.push("a", 1, named("rare pair"));
  for (int i = 0; i < 10; ++i) queue.push("a", 0, named("window"));
  CHECK(next(queue) == "rare pair");
}

TEST_CASE("weights share the turns, and nobody starves") {
  RequestQueue queue;
  const std::map<std::string, int> weights = {{"high", 4}, {"low", 1}, {"normal", 2}};
  for (const auto& [stream, weight] : weights) queue.set_weight(stream, weight);
  std::map<std::string, int> served;
  for (int turn = 0; turn < 700; ++turn) {
    for (const auto& [stream, weight] : weights) queue.push(stream, 0, named(stream));
    ++served[next(queue)];
  }
  CHECK(served == std::map<std::string, int>{{"high", 400}, {"low", 100}, {"normal", 200}});
}

TEST_CASE("a removed lane takes what waits in it along") {
  RequestQueue queue;
  queue.push("a", 0, named("a"));
  queue.push("b", 0, named("b"));
  queue.remove("a");
  queue.remove("nobody");
  CHECK(queue.size() == 1);
  CHECK(next(queue) == "b");
}

TEST_CASE("people come first") {
  RequestQueue queue;
  queue.push("a", 0, named("clip"));
  CHECK(queue.push_person(named("person")));
  CHECK(next(queue) == "person");
  CHECK(next(queue) == "clip");
}

TEST_CASE("the lane for people refuses when it is full") {
  RequestQueue queue;
  for (std::size_t i = 0; i < RequestQueue::kPeopleDepth; ++i) CHECK(queue.push_person(named("person")));
  CHECK_FALSE(queue.push_person(named("one too many")));
  queue.pop();
  CHECK(queue.push_person(named("room again")));
}

TEST_CASE("people who have left take no place in their lane, and are handed out to be told so") {
  RequestQueue queue;
  const auto asked = [&](const char* name, bool has_left) {
    Request request = named(name);
    request.cancelled = [has_left] { return has_left; };
    return queue.push_person(std::move(request));
  };
  for (std::size_t i = 0; i < RequestQueue::kPeopleDepth; ++i) CHECK(asked("left", true));
  CHECK(asked("person", false));
  CHECK(queue.size() == 1);
  CHECK(queue.take_cancelled().size() == RequestQueue::kPeopleDepth);
  CHECK(queue.take_cancelled().empty());
  CHECK(next(queue) == "person");
  CHECK(asked("left", true));
  CHECK(queue.take_cancelled().size() == 1);
  CHECK(queue.size() == 0);
}

TEST_CASE("streams are served in turn, however much one of them brings") {
  RequestQueue queue;
  std::string order;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5; ++i) queue.push("a", 0, named("a"));
    queue.push("b", 0, named("b"));
    queue.push("c", 0, named("c"));
    for (int i = 0; i < 3; ++i) order += next(queue);
  }
  CHECK(order == "abcabcabc");
}

TEST_CASE("a closed queue serves what waits and takes nothing more") {
  RequestQueue queue;
  queue.push("a", 0, named("clip"));
  queue.close();
  CHECK(queue.push("a", 0, named("late")) == 1);
  CHECK_FALSE(queue.push_person(named("late")));
  CHECK(queue.pop().has_value());
  CHECK_FALSE(queue.pop().has_value());
}

TEST_CASE("an abandoned queue serves nothing, and wakes whoever waits") {
  RequestQueue queue;
  std::thread waiting([&] { CHECK_FALSE(queue.pop().has_value()); });
  queue.abandon();
  waiting.join();
  queue.push("a", 0, named("late"));
  CHECK_FALSE(queue.pop().has_value());
}

TEST_CASE("every request of many threads is either served or counted as dropped") {
  constexpr int kThreads = 4, kRequests = 2000;
  RequestQueue queue;
  std::uint64_t served = 0, counted = 0;
  std::thread engine([&] {
    while (const auto request = queue.pop()) {
      ++served;
      counted += request->dropped_before;
    }
  });
  std::vector<std::thread> feeds;
  std::atomic<std::uint64_t> dropped{0};
  for (int feed = 0; feed < kThreads; ++feed) {
    feeds.emplace_back([&, feed] {
      for (int i = 0; i < kRequests; ++i) dropped += queue.push(std::to_string(feed), i % 2, named("clip"));
    });
  }
  for (std::thread& feed : feeds) feed.join();
  queue.close();
  engine.join();
  CHECK(served + dropped == kThreads * kRequests);
  CHECK(counted == dropped);
}
