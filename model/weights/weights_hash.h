#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "base/sha256.h"
#include "model/weights/safetensors.h"
#include "model/weights/weight_files.h"

namespace palisade {

// What a person gives for one: 64 hex digits, lower-cased; nothing where it is none.
std::optional<std::string> pinned_sha256(std::string_view text);

// All bytes of a file, or until `stop`. Throws Error where it cannot be read, or is changed meanwhile.
void add_file(Sha256& hash, const ReadFile& file, const std::stop_token& stop = {});

// The sha256 over a model's weight files in order, as events name it. Throws as add_file().
std::string weights_sha256(const WeightFiles& files);

// The same while others work: small files are hashed at once, large ones on a thread of its own that takes
// what time others leave.
class WeightsHash {
 public:
  // Begins when `loaded` returns, which may wait until others have read the files. `known`: what it is, where
  // that was computed already.
  explicit WeightsHash(
      WeightFiles files, std::function<void()> loaded = [] {}, const std::string& known = {});

  // Lower-case hex; empty while it is not known, and where a file cannot be read: the log says so. Any
  // thread.
  std::string hex() const;

 private:
  void compute(const WeightFiles& files, const std::stop_token& stop);

  mutable std::mutex mutex_;
  std::string hex_;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace palisade
