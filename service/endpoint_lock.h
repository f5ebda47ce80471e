#pragma once

#include <string>
#include <utility>

namespace palisade {

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

// ZeroMQ takes over another program's ipc socket without a word; a lock beside it keeps two services apart.
// Nothing for other endpoints. Throws Unavailable.
Descriptor lock_endpoint(const std::string& endpoint);

}  // namespace palisade
