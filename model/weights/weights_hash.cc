#include "model/weights/weights_hash.h"

#include <sched.h>

#include <algorithm>
#include <exception>
#include <span>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/log.h"

namespace palisade {
namespace {

constexpr std::uint64_t kAtOnce = 64u << 20;

std::uint64_t total_bytes(const WeightFiles& files) {
  std::uint64_t bytes = 0;
  for (const auto& file : files) bytes += file->size();
  return bytes;
}

}  // namespace

std::optional<std::string> pinned_sha256(std::string_view text) {
  std::string hex;
  for (const char letter : text) {
    const char lower = letter >= 'A' && letter <= 'F' ? char(letter - 'A' + 'a') : letter;
    if (!(lower >= '0' && lower <= '9') && !(lower >= 'a' && lower <= 'f')) return std::nullopt;
    hex += lower;
  }
  return hex.size() == 64 ? std::optional(hex) : std::nullopt;
}

void add_file(Sha256& hash, const ReadFile& file, const std::stop_token& stop) {
  std::vector<std::byte> block(1u << 20);
  for (std::uint64_t at = 0; at < file.size() && !stop.stop_requested(); at += block.size()) {
    const auto now = std::span(block).first(std::min<std::uint64_t>(block.size(), file.size() - at));
    file.read(at, now);
    hash.add(now);
  }
  file.require_unchanged();
}

std::string weights_sha256(const WeightFiles& files) {
  Sha256 hash;
  for (const auto& file : files) add_file(hash, *file);
  return hash.hex();
}

WeightsHash::WeightsHash(WeightFiles files, std::function<void()> loaded, const std::string& known)
    : hex_(known) {
  if (!known.empty()) {
    thread_ = std::jthread([loaded = std::move(loaded)] {
      try {
        loaded();
      } catch (const std::exception&) {
        // What loading fails with is told by who waits for it.
      }
    });
  } else if (total_bytes(files) <= kAtOnce) {
    loaded();
    compute(files, {});
  } else {
    thread_ = std::jthread(
        [this, files = std::move(files), loaded = std::move(loaded)](const std::stop_token& stop) {
          try {
            loaded();
            // The first answers are computed meanwhile, by threads that each need a core.
            const sched_param none{};
            sched_setscheduler(0, SCHED_IDLE, &none);
            compute(files, stop);
          } catch (const std::exception&) {
            // What loading fails with is told by who waits for it. Events then name no hash.
          }
        });
  }
}

std::string WeightsHash::hex() const {
  const std::lock_guard lock(mutex_);
  return hex_;
}

// Stopped, or a file that cannot be read: no hash is better than a wrong one.
void WeightsHash::compute(const WeightFiles& files, const std::stop_token& stop) {
  Sha256 hash;
  try {
    for (const auto& file : files) add_file(hash, *file, stop);
  } catch (const Error& error) {
    log_warning("events will name no sha256 of the model: " + std::string(error.what()));
    return;
  }
  if (stop.stop_requested()) return;
  std::string hex = hash.hex();
  const std::lock_guard lock(mutex_);
  hex_ = std::move(hex);
}

}  // namespace palisade
