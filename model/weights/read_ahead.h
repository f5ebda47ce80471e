#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

namespace palisade {

// Has the system read files, one after the other, while what was read of them before is worked on. Ends with
// its own life; a file that cannot be opened is left to whoever reads it.
class ReadAhead {
 public:
  // `taken` says how many bytes have been worked on. Never much more than that is read (but for what
  // Checkpoint counts twice), so that a machine with little memory does not lose again what nobody has taken.
  ReadAhead(std::vector<std::filesystem::path> files, std::function<std::size_t()> taken);

 private:
  std::jthread thread_;
};

}  // namespace palisade
