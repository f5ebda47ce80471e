#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace palisade {

// Of what is given back, at most, beside what threads keep.
inline constexpr std::size_t kMaxKeptMemory = std::size_t(256) << 20;

// Gives a block back. Knows how large it is, or what it is a part of.
struct FreeMemory {
  std::size_t size = 0;
  std::shared_ptr<std::byte[]> slab = nullptr;
  void operator()(void* block) const;
};
template <typename T>
using Block = std::unique_ptr<T[], FreeMemory>;

// At least `size` bytes for a tensor, 64-byte aligned, not initialised; what a vector beyond them holds may
// be loaded too, where it is not used. Throws std::bad_alloc.
//
// Large ones stand in huge pages where the system gives them, and are kept for a while when they are given
// back: a pass takes the same ones in every layer, and pages that are new cost as much time as what is
// computed on them. A thread keeps a megabyte of small ones for itself.
Block<std::byte> take_memory(std::size_t size);

// The same for packed weights, which stay: those up to 4 MB share huge pages, which most would not fill. A
// matmul streams them, and the way to each small page costs one of 64 rows by a megabyte 4 % (Zen 5).
Block<std::byte> take_memory_for_weights(std::size_t size);

// `size` values where `kept`, of the caller's thread, stands; what was there is lost when it must grow.
template <typename T>
std::span<T> grown(Block<std::byte>& kept, std::size_t size) {
  if (kept.get_deleter().size < size * sizeof(T)) kept = take_memory(size * sizeof(T));
  return {reinterpret_cast<T*>(kept.get()), size};
}

// What one row is made in: of the thread at work, until the thread's next call.
std::span<float> row_of_thread(std::size_t size);

}  // namespace palisade
