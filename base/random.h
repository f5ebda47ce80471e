#pragma once

#include <cstdint>
#include <string_view>

namespace palisade {

// A random number that depends on `x` alone: SplitMix64 (Steele et al., "Fast Splittable Pseudorandom Number
// Generators", OOPSLA 2014).
inline std::uint64_t split_mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// A number below `count` that depends on `seed` alone.
inline std::uint64_t chosen_below(std::uint64_t count, std::uint64_t seed) {
  return std::uint64_t((static_cast<unsigned __int128>(split_mix(seed)) * count) >> 64);
}

// The FNV-1a hash, which is the same on every machine.
inline std::uint64_t hash_of(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const char byte : name) hash = (hash ^ std::uint8_t(byte)) * 0x100000001B3u;
  return hash;
}

}  // namespace palisade
