#include "model/tensor/memory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iterator>
#include <thread>
#include <vector>

using namespace palisade;

TEST_CASE("blocks for weights stand apart, aligned, and go one by one") {
  constexpr std::size_t kSizes[] = {1, 63, 64, 65, 500'000, 1'300'000, 4 << 20, 5 << 20};
  constexpr int kBlocks = 64;  // of several slabs
  struct FilledBlock {
    Block<std::byte> block;
    std::size_t size;
    std::byte value;
  };
  std::vector<FilledBlock> all;
  const auto fill = [&](int index) {
    const std::size_t size = kSizes[index % std::size(kSizes)];
    all.push_back({take_memory_for_weights(size), size, std::byte(index)});
    CHECK(reinterpret_cast<std::uintptr_t>(all.back().block.get()) % 64 == 0);
    std::memset(all.back().block.get(), index, size);
  };
  for (int i = 0; i < kBlocks; ++i) fill(i);
  // Every other block is freed; the others keep their contents while new ones are taken.
  std::erase_if(all, [](const FilledBlock& filled) { return int(filled.value) % 2 == 0; });
  for (int i = kBlocks; i < 2 * kBlocks; ++i) fill(i);
  for (const FilledBlock& filled : all) {
    const auto differs = [&](std::byte value) { return value != filled.value; };
    CHECK(std::none_of(filled.block.get(), filled.block.get() + filled.size, differs));
  }
}

namespace {

// A pool that has stored nothing yet.
[[maybe_unused]] void in_new_thread(const std::function<void()>& what) {
  std::thread(what).join();
}

}  // namespace

TEST_CASE("what a thread gave back it takes again, and others only once it has ended") {
#ifdef __SANITIZE_ADDRESS__
  MESSAGE("nothing is kept under AddressSanitizer");
#else
  constexpr std::size_t kSmall = 700, kLarge = 200'000;
  for (const std::size_t size : {kSmall, kLarge}) {
    CAPTURE(size);
    in_new_thread([size] {
      const void* const ours = take_memory(size).get();
      const void* theirs = nullptr;
      in_new_thread([&] {
        theirs = take_memory(size).get();
        CHECK(theirs != ours);
        CHECK(take_memory(size).get() == theirs);
      });
      const Block<std::byte> again = take_memory(size);
      CHECK(again.get() == ours);
      if (size == kLarge) CHECK(take_memory(size).get() == theirs);
    });
  }
#endif
}

TEST_CASE("a thread keeps no more than a megabyte for itself") {
#ifdef __SANITIZE_ADDRESS__
  MESSAGE("nothing is kept under AddressSanitizer");
#else
  constexpr std::size_t kSize = 200'000;
  constexpr int kBlocks = 20, kMinNear = 4, kMaxNear = 5;  // what is taken may be a quarter larger
  // All are held at the same time, so that none is reused.
  const auto take_all = [] {
    std::array<Block<std::byte>, kBlocks> all;
    std::vector<const void*> where;
    for (auto& block : all) where.push_back((block = take_memory(kSize)).get());
    return where;
  };
  in_new_thread([&] {
    const auto ours = take_all();
    in_new_thread([&] {
      const auto was_ours = [&](const void* block) { return std::ranges::find(ours, block) != ours.end(); };
      const auto others = std::ranges::count_if(take_all(), was_ours);
      CHECK(others >= kBlocks - kMaxNear);
      CHECK(others <= kBlocks - kMinNear);
    });
  });
#endif
}
