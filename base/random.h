#pragma once

#include <cstdint>
#include <string_view>

namespace palisade {

// Steele et al., "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014: a number's own random one,
// which needs no other.
inline std::uint64_t split_mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// FNV-1a: the same on every machine.
inline std::uint64_t hash_of(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const char byte : name) hash = (hash ^ std::uint8_t(byte)) * 0x100000001B3u;
  return hash;
}

}  // namespace palisade
