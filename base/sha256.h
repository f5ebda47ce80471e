#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace palisade {

// A SHA-256 that grows with what is added to it.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void add(std::span<const std::byte> bytes);
  // Lower-case hex, 64 characters. Ends the hash.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace palisade
