#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace palisade {

// The sha256 over a model's weight files in order. Small ones are hashed at once, large ones on a thread of
// its own that takes what time others leave.
class WeightsHash {
 public:
  // Begins when `loaded` returns, which may wait until others have read the files.
  explicit WeightsHash(
      std::vector<std::filesystem::path> files, std::function<void()> loaded = [] {});

  // Lower-case hex; empty while it is not known. Any thread.
  std::string hex() const;

 private:
  void compute(const std::vector<std::filesystem::path>& files, const std::stop_token& stop);

  mutable std::mutex mutex_;
  std::string hex_;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace palisade
