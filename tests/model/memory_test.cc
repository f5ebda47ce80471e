#include "model/memory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <vector>

using namespace palisade;

TEST_CASE("blocks for weights stand apart, aligned, and go one by one") {
  constexpr std::size_t kSizes[] = {1, 63, 64, 65, 500'000, 1'300'000, 4 << 20, 5 << 20};
  constexpr int kBlocks = 64;  // of several slabs
  struct Filled {
    Block<std::byte> block;
    std::size_t size;
    std::byte value;
  };
  std::vector<Filled> all;
  const auto fill = [&](int index) {
    const std::size_t size = kSizes[index % std::size(kSizes)];
    all.push_back({take_memory_for_weights(size), size, std::byte(index)});
    CHECK(reinterpret_cast<std::uintptr_t>(all.back().block.get()) % 64 == 0);
    std::memset(all.back().block.get(), index, size);
  };
  for (int i = 0; i < kBlocks; ++i) fill(i);
  // Every other one goes; those that stay keep what they hold while others come.
  std::erase_if(all, [](const Filled& filled) { return int(filled.value) % 2 == 0; });
  for (int i = kBlocks; i < 2 * kBlocks; ++i) fill(i);
  for (const Filled& filled : all) {
    const auto differs = [&](std::byte value) { return value != filled.value; };
    CHECK(std::none_of(filled.block.get(), filled.block.get() + filled.size, differs));
  }
}
