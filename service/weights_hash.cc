#include "service/weights_hash.h"

#include <sched.h>

#include <exception>
#include <fstream>
#include <span>
#include <utility>

#include "service/sha256.h"

namespace palisade {
namespace {

constexpr std::uintmax_t kAtOnce = 64u << 20;

std::uintmax_t total_bytes(const std::vector<std::filesystem::path>& files) {
  std::uintmax_t bytes = 0;
  for (const auto& file : files) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(file, error);
    if (!error) bytes += size;
  }
  return bytes;
}

}  // namespace

WeightsHash::WeightsHash(std::vector<std::filesystem::path> files, std::function<void()> loaded) {
  if (total_bytes(files) <= kAtOnce) {
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
            // Events then name no hash.
          }
        });
  }
}

std::string WeightsHash::hex() const {
  const std::lock_guard lock(mutex_);
  return hex_;
}

void WeightsHash::compute(const std::vector<std::filesystem::path>& files, const std::stop_token& stop) {
  Sha256 hash;
  std::vector<char> block(1u << 20);
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    while (stream && !stop.stop_requested()) {
      stream.read(block.data(), std::streamsize(block.size()));
      hash.add(std::as_bytes(std::span(block.data(), std::size_t(stream.gcount()))));
    }
    // Stopped, or a file that cannot be read: no hash is better than a wrong one.
    if (!stream.eof()) return;
  }
  std::string hex = hash.hex();
  const std::lock_guard lock(mutex_);
  hex_ = std::move(hex);
}

}  // namespace palisade
