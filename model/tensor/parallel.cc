#include "model/tensor/parallel.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace palisade {
namespace {

thread_local bool at_task = false;

// Longer than what stands between two matmuls of a decoding step, and cheaper than a wake-up.
constexpr std::chrono::microseconds kSpin(100);

// Until `value` is no longer `old`: for a moment at work, then asleep.
template <typename T>
void wait_for_change(const std::atomic<T>& value, T old) {
  const auto until = std::chrono::steady_clock::now() + kSpin;
  while (value.load(std::memory_order_acquire) == old) {
    if (std::chrono::steady_clock::now() > until) return value.wait(old, std::memory_order_acquire);
  }
}

// Less than another program's turn on a shared core: 4 ms where the system's clock ticks at 250 Hz.
constexpr std::chrono::milliseconds kTurn(1);

// Between two tasks nobody waits for this thread: those who want its core had better take it here than in the
// middle of a task.
void offer_core() {
  thread_local std::chrono::steady_clock::time_point offered;
  if (std::chrono::steady_clock::now() - offered < kTurn) return;
  sched_yield();
  offered = std::chrono::steady_clock::now();
}

// Goes on elsewhere if this thread is on that core, and may come back later. Left alone the system keeps two
// of the thread pool's threads on one core and another program on a core of its own: for it that is even.
void leave_core(int core) {
  cpu_set_t allowed;
  if (sched_getcpu() != core || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  cpu_set_t others = allowed;
  CPU_CLR(core, &others);
  if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others) != 0) return;
  sched_setaffinity(0, sizeof allowed, &allowed);
}

// One parallel_for().
class Loop {
 public:
  Loop(int count, const std::function<void(int)>& task, int helpers)
      : room(helpers), task_(task), count_(count), left_(count) {}

  // Takes tasks as long as there are any to take.
  void work() {
    at_task = true;
    const bool helps = std::this_thread::get_id() != caller_;
    for (int i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count_;) {
      if (helps) leave_core(callers_core_);
      try {
        task_(i);
      } catch (...) {
        const std::lock_guard lock(guard_);
        failure_ = std::current_exception();
      }
      if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) left_.notify_all();
      offer_core();
    }
    at_task = false;
  }
  // For those that others have taken.
  void finish() {
    for (int left; (left = left_.load(std::memory_order_acquire)) > 0;) wait_for_change(left_, left);
    if (failure_) std::rethrow_exception(failure_);
  }

  int room;  // for so many helpers more; the pool's

 private:
  const std::function<void(int)>& task_;  // of the caller, who stays until nothing is left
  const int count_;
  const std::thread::id caller_ = std::this_thread::get_id();
  const int callers_core_ = sched_getcpu();
  std::atomic<int> next_ = 0;
  std::atomic<int> left_;
  std::mutex guard_;
  std::exception_ptr failure_;
};

// The threads that help those who begin loops. A helper that is late is not waited for: it finds nothing
// left.
class ThreadPool {
 public:
  void run(int count, int helpers, const std::function<void(int)>& task) {
    const auto loop = std::make_shared<Loop>(count, task, helpers);
    {
      const std::lock_guard lock(guard_);
      for (; helpers_ < helpers; ++helpers_) std::thread([this] { help(); }).detach();
      loops_.push_back(loop);
    }
    begun_.fetch_add(1, std::memory_order_release);
    begun_.notify_all();
    loop->work();
    {
      const std::lock_guard lock(guard_);
      std::erase(loops_, loop);
    }
    loop->finish();
  }

 private:
  std::shared_ptr<Loop> one_with_room() {
    const std::lock_guard lock(guard_);
    const auto found = std::ranges::find_if(loops_, [](const auto& loop) { return loop->room > 0; });
    if (found == loops_.end()) return nullptr;
    --(*found)->room;
    return *found;
  }
  void help() {
    for (;;) {
      const std::uint32_t begun = begun_.load(std::memory_order_acquire);
      if (const auto loop = one_with_room()) {
        loop->work();
      } else {
        wait_for_change(begun_, begun);
      }
    }
  }

  std::atomic<std::uint32_t> begun_ = 0;
  std::mutex guard_;  // of what follows
  std::vector<std::shared_ptr<Loop>> loops_;
  int helpers_ = 0;
};

// Never destroyed: its threads end with the program.
ThreadPool& thread_pool() {
  static ThreadPool* const all = new ThreadPool;
  return *all;
}

}  // namespace

void parallel_for(int count, double work, const std::function<void(int)>& task) {
  const int helpers = std::min(thread_pool_size(), count) - 1;
  if (helpers > 0 && work >= kParallelWork && !in_task()) return thread_pool().run(count, helpers, task);
  for (int i = 0; i < count; ++i) task(i);
}

int thread_pool_size() {
  return omp_get_max_threads();
}

bool in_task() {
  return at_task;
}

void parallel_for_pieces(std::size_t size, std::size_t piece, double work,
                         const std::function<void(std::size_t first, std::size_t count)>& task) {
  parallel_for(int((size + piece - 1) / piece), work, [&](int index) {
    const std::size_t first = std::size_t(index) * piece;
    task(first, std::min(piece, size - first));
  });
}

void parallel_for_rows(int rows, int least, double work,
                       const std::function<void(int first, int count)>& task) {
  const int threads = thread_pool_size();
  int parts = in_task() || work < kParallelWork ? 1 : std::min(rows / least, kPartsAThread * threads);
  if (parts > threads) parts = parts / threads * threads;
  if (parts < 2) return task(0, rows);
  const auto begin = [&](int part) { return int(std::int64_t(rows) * part / parts); };
  parallel_for(parts, work, [&](int part) { task(begin(part), begin(part + 1) - begin(part)); });
}

void parallel_for_large(int count, double work, const std::function<void(int)>& task) {
  const int threads = thread_pool_size();
  if (count % threads == 0 || count >= 8 * threads) return parallel_for(count, work, task);
  for (int i = 0; i < count; ++i) task(i);
}

void for_row_blocks(int rows, const std::function<void(int first, int count)>& task, int least) {
  const int threads = thread_pool_size();
  int blocks = rows / std::max(kRowBlock, least) / threads * threads;
  if (blocks == 0 && rows / threads >= least) blocks = threads;
  if (blocks < 2) return task(0, rows);
  const auto begin = [&](int block) { return int(std::int64_t(rows) * block / blocks); };
  parallel_for(blocks, kParallelWork,
               [&](int block) { task(begin(block), begin(block + 1) - begin(block)); });
}

}  // namespace palisade
