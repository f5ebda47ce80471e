#include "model/tensor/parallel.h"

#include <doctest/doctest.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace palisade;

namespace {

constexpr double kMuchWork = 1e9;

}  // namespace

TEST_CASE("blocks of rows are all rows, each once") {
  for (const int rows : {1, 7, 255, 256, 257, 300, 512, 4112}) {
    std::vector<std::atomic<int>> seen(rows);
    for_row_blocks(rows, [&](int first, int count) {
      for (int row = first; row < first + count; ++row) ++seen[row];
    });
    CHECK(std::ranges::all_of(seen, [](const std::atomic<int>& times) { return times == 1; }));
    std::atomic<int> fewest = rows;
    parallel_for_rows(rows, 48, kMuchWork, [&](int first, int count) {
      for (int row = first; row < first + count; ++row) ++seen[row];
      for (int least = fewest; count < least && !fewest.compare_exchange_weak(least, count);) {
      }
    });
    CHECK(std::ranges::all_of(seen, [](const std::atomic<int>& times) { return times == 2; }));
    CHECK(fewest >= std::min(rows, 48));
  }
}

TEST_CASE("what a task throws comes out of the loop, after the other tasks") {
  if (thread_pool_size() < 2) {
    MESSAGE("this machine has one thread");
    return;
  }
  std::atomic<int> done = 0;
  const auto loop = [&] {
    parallel_for(40, kMuchWork, [&](int task) {
      if (task % 7 == 3) throw std::runtime_error("task");
      ++done;
    });
  };
  CHECK_THROWS_WITH_AS(loop(), "task", std::runtime_error);
  CHECK(done == 34);
}

TEST_CASE("a loop ends although those who could help are kept elsewhere") {
  std::atomic<int> begun = 0, done = 0;
  std::atomic<bool> free = false;
  std::thread other([&] {
    parallel_for(thread_pool_size(), kMuchWork, [&](int) {
      ++begun;
      free.wait(false);
    });
  });
  while (begun == 0) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) parallel_for(8, kMuchWork, [&](int) { ++done; });
  CHECK(done == 800);
  free = true;
  free.notify_all();
  other.join();
  CHECK(begun == thread_pool_size());
}

TEST_CASE("inside a task everything runs in its thread, and afterwards no longer") {
  if (thread_pool_size() < 2) {
    MESSAGE("this machine has one thread");
    return;
  }
  std::atomic<int> elsewhere = 0, tasks = 0;
  parallel_for(8, kMuchWork, [&](int) {
    const auto self = std::this_thread::get_id();
    CHECK(in_task());
    parallel_for(8, kMuchWork, [&](int) {
      ++tasks;
      elsewhere += std::this_thread::get_id() != self;
    });
    CHECK(in_task());
  });
  CHECK(tasks == 64);
  CHECK(elsewhere == 0);
  CHECK(!in_task());
}

TEST_CASE("several threads have loops of their own at a time") {
  std::vector<std::thread> callers;
  std::atomic<int> done = 0;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 200; ++repeat) parallel_for(5, kMuchWork, [&](int) { ++done; });
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(done == 4 * 200 * 5);
}

TEST_CASE("a helper leaves the core of whoever began the loop, and may come back later") {
  cpu_set_t allowed;
  REQUIRE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  if (thread_pool_size() < 2 || CPU_COUNT(&allowed) < 2) {
    MESSAGE("this machine has one thread");
    return;
  }
  parallel_for(thread_pool_size(), kMuchWork, [](int) {});  // the helpers, who inherit where they may work
  // There is a busy thread on every core, so the system does not move threads.
  std::atomic<bool> over = false;
  std::vector<std::thread> busy;
  const auto only = [](int core) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    sched_setaffinity(0, sizeof one, &one);
  };
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &allowed)) continue;
    busy.emplace_back([&, core] {
      only(core);
      while (!over) {
      }
    });
  }
  const int home = sched_getcpu();
  only(home);
  const auto caller = std::this_thread::get_id();
  std::atomic<int> helped = 0, beside = 0, narrowed = 0;
  parallel_for(200 * thread_pool_size(), kMuchWork, [&](int) {
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    if (std::this_thread::get_id() == caller) return;
    ++helped;
    beside += sched_getcpu() == home;
    cpu_set_t own;
    sched_getaffinity(0, sizeof own, &own);
    narrowed += !CPU_EQUAL(&own, &allowed);
    only(home);
    sched_setaffinity(0, sizeof allowed, &allowed);
  });
  over = true;
  for (std::thread& thread : busy) thread.join();
  sched_setaffinity(0, sizeof allowed, &allowed);
  CHECK(helped > 10);
  CHECK(beside < helped / 2);
  CHECK(narrowed == 0);
}
