#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace palisade {

// Computes a SHA-256 piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void add(std::span<const std::byte> bytes);
  // The hash as 64 lower-case hexadecimal digits. Nothing can be added afterwards.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace palisade
