#include "ingest/start_turns.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

using namespace palisade;
using namespace std::chrono_literals;

TEST_CASE("no more start at once than may, and all of them do in the end") {
  StartTurns turns(3, 60s);
  std::atomic<int> starting = 0, most = 0, started = 0;
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < 20; ++i)
      all.emplace_back([&](const std::stop_token& stop) {
        const auto turn = turns.take(stop);
        REQUIRE(turn);
        const int now = ++starting;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::sleep_for(1ms);
        --starting;
        ++started;
      });
    for (auto& each : all) each.join();
  }
  CHECK(most <= 3);
  CHECK(started == 20);
}

TEST_CASE("a start that hangs keeps its turn for a while only") {
  StartTurns turns(1, 20ms);
  const auto hanging = turns.take({});
  const auto next = turns.take({});
  CHECK(next);
}

TEST_CASE("a stop ends the wait for a turn") {
  StartTurns turns(1, 60s);
  const auto first = turns.take({});
  std::jthread waiting([&](const std::stop_token& stop) { CHECK_FALSE(turns.take(stop)); });
  waiting.request_stop();
}
