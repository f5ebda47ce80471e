#include "model/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <list>
#include <mutex>
#include <new>
#include <vector>

namespace palisade {
namespace {

constexpr std::size_t kHugePage = std::size_t(2) << 20;
constexpr std::size_t kLarge = std::size_t(16) << 10;
constexpr std::size_t kVector = 64;
// AddressSanitizer would not see who uses what he has given back.
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kMostKept = 0, kSlab = 0;
#else
constexpr std::size_t kSlab = 8 * kHugePage;
constexpr std::size_t kMostKept = kMostKeptMemory;
#endif

std::align_val_t alignment_of(std::size_t size) {
  return std::align_val_t(size >= kHugePage ? kHugePage : 64);
}

// Blocks that were given back, the last one first.
class Kept {
 public:
  // One that is not much larger than asked for; nullptr where there is none. `size` becomes its own.
  void* take(std::size_t& size) {
    const std::lock_guard lock(mutex_);
    const auto fits = [&](const Entry& entry) { return entry.size >= size && entry.size <= size + size / 4; };
    const auto found = std::ranges::find_if(entries_, fits);
    if (found == entries_.end()) return nullptr;
    void* const block = found->block;
    size = found->size;
    bytes_ -= size;
    entries_.erase(found);
    return block;
  }
  void give(void* block, std::size_t size) {
    const std::lock_guard lock(mutex_);
    entries_.push_front({block, size});
    bytes_ += size;
    while (bytes_ > kMostKept) {
      const Entry last = entries_.back();
      entries_.pop_back();
      bytes_ -= last.size;
      ::operator delete(last.block, alignment_of(last.size));
    }
  }

 private:
  struct Entry {
    void* block;
    std::size_t size;
  };
  std::mutex mutex_;
  std::list<Entry> entries_;
  std::size_t bytes_ = 0;
};

// Never destroyed: static models give back after it would be.
Kept& kept() {
  static Kept* const all = new Kept;
  return *all;
}

}  // namespace

void FreeMemory::operator()(void* block) const {
  if (slab != nullptr) return;
  if (size >= kLarge) return kept().give(block, size);
  ::operator delete(block, alignment_of(size));
}

Block<std::byte> take_memory(std::size_t size) {
  void* block = size >= kLarge ? kept().take(size) : nullptr;
  if (block == nullptr) {
    block = ::operator new(size + kVector, alignment_of(size));
    // Whole huge pages alone: what is left at the end would be as large again.
    if (size >= kHugePage) ::madvise(block, size / kHugePage * kHugePage, MADV_HUGEPAGE);
  }
  return Block<std::byte>(static_cast<std::byte*>(block), FreeMemory{size});
}

Block<std::byte> take_memory_for_weights(std::size_t size) {
  if (size > kSlab / 4) return take_memory(size);
  static std::mutex guard;  // of what follows
  static std::weak_ptr<std::byte[]> last;
  static std::size_t used;
  const std::lock_guard lock(guard);
  auto slab = last.lock();
  if (slab == nullptr || used + size > kSlab) {
    slab = take_memory(kSlab);
    last = slab;
    used = 0;
  }
  std::byte* const block = slab.get() + used;
  used += (size + kVector - 1) / kVector * kVector;
  return Block<std::byte>(block, FreeMemory{size, std::move(slab)});
}

std::span<float> row_of_thread(std::size_t size) {
  thread_local Block<std::byte> row;
  return grown<float>(row, size);
}

}  // namespace palisade
