#include "service/streams/pairings.h"

#include <doctest/doctest.h>

#include <thread>

using namespace palisade;
using namespace std::chrono_literals;

namespace {

Frame seen_at(const char* stream, std::chrono::milliseconds time) {
  Frame frame;
  frame.stream = stream;
  frame.stamp.wall = WallTime(std::chrono::hours(500'000) + time);
  return frame;
}

}  // namespace

TEST_CASE("frames that two streams' threads bring become pairs, each once") {
  Pairings pairings;
  std::mutex mutex;
  std::vector<Clip> pairs;
  pairings.begin("a/pair", 50ms, [&](Clip pair) {
    const std::lock_guard lock(mutex);
    pairs.push_back(std::move(pair));
  });
  {
    const std::jthread first([&] {
      for (int i = 0; i < 200; ++i) pairings.offer_first("a/pair", seen_at("a", i * 100ms));
    });
    const std::jthread second([&] {
      for (int i = 0; i < 400; ++i) {
        pairings.offer_second("a/pair", seen_at("b", i * 50ms + 20ms));
        if (i % 50 == 0) std::this_thread::yield();
      }
    });
  }
  for (const Clip& pair : pairs) {
    REQUIRE(pair.frames.size() == 2);
    CHECK(pair.frames[0].stream == "a");
    CHECK(pair.frames[1].stream == "b");
    CHECK(pair.sampling.span <= 50ms);
  }
  CHECK(pairs.size() <= 200);
  pairings.end("a/pair");
  const std::size_t before = pairs.size();
  pairings.offer_first("a/pair", seen_at("a", 0ms));
  pairings.offer_second("a/pair", seen_at("b", 0ms));
  CHECK(pairs.size() == before);
}
