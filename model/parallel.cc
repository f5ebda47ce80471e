#include "model/parallel.h"

#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <exception>

namespace palisade {

void parallel_for(int count, double work, const std::function<void(int)>& task) {
  if (count < 2 || work < kParallelWork || omp_in_parallel()) {
    for (int i = 0; i < count; ++i) task(i);
    return;
  }
  std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic)
  for (int i = 0; i < count; ++i) {
    try {
      task(i);
    } catch (...) {
#pragma omp critical
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

int team_size() {
  return omp_get_max_threads();
}

bool in_task() {
  return omp_in_parallel();
}

void parallel_for_pieces(std::size_t size, std::size_t piece, double work,
                         const std::function<void(std::size_t first, std::size_t count)>& task) {
  parallel_for(int((size + piece - 1) / piece), work, [&](int index) {
    const std::size_t first = std::size_t(index) * piece;
    task(first, std::min(piece, size - first));
  });
}

void parallel_for_large(int count, double work, const std::function<void(int)>& task) {
  const int threads = omp_get_max_threads();
  if (count % threads == 0 || count >= 8 * threads) return parallel_for(count, work, task);
  for (int i = 0; i < count; ++i) task(i);
}

void for_row_blocks(int rows, const std::function<void(int first, int count)>& task, int least) {
  const int threads = omp_get_max_threads();
  int blocks = rows / std::max(kRowBlock, least) / threads * threads;
  if (blocks == 0 && rows / threads >= least) blocks = threads;
  if (blocks < 2) return task(0, rows);
  const auto begin = [&](int block) { return int(std::int64_t(rows) * block / blocks); };
  parallel_for(blocks, kParallelWork,
               [&](int block) { task(begin(block), begin(block + 1) - begin(block)); });
}

}  // namespace palisade
