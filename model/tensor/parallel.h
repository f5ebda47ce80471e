#pragma once

#include <cstddef>
#include <functional>

namespace palisade {

// Runs task(0) ... task(count - 1) here and on the thread pool; in the calling thread alone when `work`
// (roughly the floating-point operations of all tasks together) would not repay waking them. Ends with the
// last task and waits for no thread that came too late to take one. Inside a task everything runs in its
// thread, matmuls too. What a task throws comes out here; where others run beside it, once they are done.
void parallel_for(int count, double work, const std::function<void(int)>& task);

// How many threads a loop begun here gets at most, with the one that begins it.
int thread_pool_size();
// Whether a task of such a loop is at work here, so that everything runs in its thread.
bool in_task();

// parallel_for() of pieces of `piece` or, at the end, fewer that together are all `size`: task(first, count).
void parallel_for_pieces(std::size_t size, std::size_t piece, double work,
                         const std::function<void(std::size_t first, std::size_t count)>& task);

// parallel_for() of parts of `least` rows or more that together are all rows, some for each thread so that
// one which others disturb takes fewer: task(first, count).
inline constexpr int kPartsAThread = 4;
void parallel_for_rows(int rows, int least, double work,
                       const std::function<void(int first, int count)>& task);

// parallel_for() of tasks that share their own work among the threads: each in one thread where they come out
// even, else one after the other, with the thread pool inside.
void parallel_for_large(int count, double work, const std::function<void(int)>& task);

// Runs task(first, count) for blocks of rows that together are all rows. Each thread takes whole blocks of
// `least` rows or more, large enough that a matmul repays its weights' way through the caches, so that what
// is between two matmuls stays in that thread's own cache; where there are fewer rows than that for every
// thread, all are one block, whose matmuls and loops are shared among the threads.
constexpr int kRowBlock = 64;
void for_row_blocks(int rows, const std::function<void(int first, int count)>& task, int least = kRowBlock);

// Below this much work a matmul or loop runs in the calling thread: waking the thread pool costs about 30 us.
constexpr double kParallelWork = 6e6;

}  // namespace palisade
