#include "service/bench/machine_limits.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <new>

#include "model/kernels/kernels.h"
#include "model/matmul/bare_matmul.h"
#include "model/tensor/parallel.h"

namespace palisade {
namespace {

using std::chrono::steady_clock;

constexpr double kAlwaysParallel = 1e12;

// Zeroed memory in huge pages where the kernel has them.
class MeasuredMemory {
 public:
  explicit MeasuredMemory(std::size_t bytes)
      : bytes_(bytes),
        data_(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (data_ == MAP_FAILED) throw std::bad_alloc();
    madvise(data_, bytes, MADV_HUGEPAGE);  // advice alone
  }
  ~MeasuredMemory() { munmap(data_, bytes_); }
  MeasuredMemory(const MeasuredMemory&) = delete;
  MeasuredMemory& operator=(const MeasuredMemory&) = delete;
  std::uint64_t* words() { return static_cast<std::uint64_t*>(data_); }

 private:
  std::size_t bytes_;
  void* data_;
};

void measure_memory(Samples& samples, int repeats, std::size_t bytes) {
  constexpr int kParts = 64;
  const std::size_t words =
      bytes / sizeof(std::uint64_t) / kParts / 32 * 32;  // words of a part, in whole cache lines
  MeasuredMemory buffer(bytes);
  parallel_for(kParts, kAlwaysParallel, [&](int part) {
    std::fill_n(buffer.words() + std::size_t(part) * words, words, std::uint64_t(part + 1));
  });
  std::atomic<std::uint64_t> sum = 0;  // used, so that the compiler keeps the reads
  for (int i = 0; i < repeats; ++i) {
    const auto begun = steady_clock::now();
    parallel_for(kParts, kAlwaysParallel, [&](int part) {
      sum ^= read_all({buffer.words() + std::size_t(part) * words, words});
    });
    samples.add(double(words) * kParts * sizeof(std::uint64_t) / seconds_since(begun));
  }
}

void measure_matmul(std::map<std::string, Samples>& matmuls, int repeats) {
  constexpr int kRows = 256, kInputs = 2048, kOutputs = 16384;
  for (const auto precision : precisions_here()) {
    const auto ways = bare_matmuls(precision, kRows, kInputs, kOutputs);
    for (const auto& matmul : ways) matmul();  // warm-up
    for (int i = 0; i < repeats; ++i) {
      double seconds = std::numeric_limits<double>::infinity();  // of the faster implementation
      for (const auto& matmul : ways) {
        const auto begun = steady_clock::now();
        matmul();
        seconds = std::min(seconds, seconds_since(begun));
      }
      matmuls[std::string(name_of(precision))].add(2.0 * kRows * kInputs * kOutputs / seconds);
    }
  }
}

}  // namespace

void MachineLimits::add(const MachineLimits& others) {
  threads = others.threads;
  memory.add(others.memory);
  for (const auto& [precision, samples] : others.matmuls) matmuls[precision].add(samples);
}

double MachineLimits::seconds_of(const Work& work, const std::string& precision) const {
  return std::max(work.bytes() / memory.median(), work.operations() / matmuls.at(precision).median());
}

bool MachineLimits::bound_by_memory(const Work& work, const std::string& precision) const {
  return work.bytes() / memory.median() > work.operations() / matmuls.at(precision).median();
}

MachineLimits measured_limits(int repeats, std::size_t buffer_bytes) {
  MachineLimits limits{.threads = thread_pool_size()};
  measure_memory(limits.memory, repeats, buffer_bytes);
  measure_matmul(limits.matmuls, repeats);
  return limits;
}

}  // namespace palisade
