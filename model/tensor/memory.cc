#include "model/tensor/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <mutex>
#include <new>

namespace palisade {
namespace {

constexpr std::size_t kHugePage = std::size_t(2) << 20;
constexpr std::size_t kLarge = std::size_t(16) << 10;
constexpr std::size_t kVector = 64;
// AddressSanitizer would not see who uses what he has given back.
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kMaxKept = 0, kMaxNear = 0, kSlab = 0;
#else
constexpr std::size_t kSlab = 8 * kHugePage;
constexpr std::size_t kMaxKept = kMaxKeptMemory;
constexpr std::size_t kMaxNear = std::size_t(1) << 20;  // of a thread: as much as its L2 cache holds
#endif
constexpr std::size_t kMaxNearBlocks = 64;

std::align_val_t alignment_of(std::size_t size) {
  return std::align_val_t(size >= kHugePage ? kHugePage : 64);
}

struct Entry {
  void* block;
  std::size_t size;
};

void give_to_system(Entry entry) {
  ::operator delete(entry.block, alignment_of(entry.size));
}

// Blocks that were given back.
class FreeBlocks {
 public:
  // The last of those that are not much larger than asked for; nullptr where there is none. `size` becomes
  // its own.
  void* take(std::size_t& size) {
    const auto fits = [&](const Entry& entry) { return entry.size >= size && entry.size <= size + size / 4; };
    const auto found = std::find_if(entries_.rbegin(), entries_.rend(), fits);
    if (found == entries_.rend()) return nullptr;
    void* const block = found->block;
    size = found->size;
    bytes_ -= size;
    entries_.erase(std::next(found).base());
    return block;
  }
  void give(Entry entry) {
    entries_.push_back(entry);
    bytes_ += entry.size;
  }
  Entry take_oldest() {
    const Entry oldest = entries_.front();
    entries_.pop_front();
    bytes_ -= oldest.size;
    return oldest;
  }
  std::size_t bytes() const { return bytes_; }
  std::size_t count() const { return entries_.size(); }

 private:
  std::deque<Entry> entries_;
  std::size_t bytes_ = 0;
};

// Of all threads.
class SharedBlocks {
 public:
  void* take(std::size_t& size) {
    const std::lock_guard lock(guard_);
    return kept_.take(size);
  }
  void give(Entry entry) {
    const std::lock_guard lock(guard_);
    kept_.give(entry);
    while (kept_.bytes() > kMaxKept) give_to_system(kept_.take_oldest());
  }

 private:
  std::mutex guard_;
  FreeBlocks kept_;
};

// Never destroyed: static models give back after it would be.
SharedBlocks& shared_blocks() {
  static SharedBlocks* const all = new SharedBlocks;
  return *all;
}

void give_to_all(Entry entry) {
  entry.size >= kLarge ? shared_blocks().give(entry) : give_to_system(entry);
}

// What a thread gave back and takes again while it is in its caches: each line of a block that another gave
// back comes from that one's caches.
class NearBlocks {
 public:
  ~NearBlocks() {
    while (kept_.count() > 0) give_to_all(kept_.take_oldest());
    gone = true;
  }
  // nullptr for a block that would leave no room for others, and once the thread's are gone: what is static
  // or a thread's may be given back later.
  static NearBlocks* of_thread(std::size_t size) {
    if (gone || size > kMaxNear / 4) return nullptr;
    thread_local NearBlocks all;
    return &all;
  }
  void* take(std::size_t& size) { return kept_.take(size); }
  void give(Entry entry) {
    kept_.give(entry);
    while (kept_.bytes() > kMaxNear || kept_.count() > kMaxNearBlocks) give_to_all(kept_.take_oldest());
  }

 private:
  static inline thread_local bool gone = false;
  FreeBlocks kept_;
};

}  // namespace

void FreeMemory::operator()(void* block) const {
  if (slab != nullptr) return;
  if (NearBlocks* const near = NearBlocks::of_thread(size)) return near->give({block, size});
  give_to_all({block, size});
}

Block<std::byte> take_memory(std::size_t size) {
  NearBlocks* const near = NearBlocks::of_thread(size);
  void* block = near != nullptr ? near->take(size) : nullptr;
  if (block == nullptr && size >= kLarge) block = shared_blocks().take(size);
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
