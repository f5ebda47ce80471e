#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"

namespace palisade {

// Progress of a long job on stderr: a bar on a terminal, else a line every five seconds. Used by one thread.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();  // clears the bar
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(MediaTime position, std::optional<MediaTime> total, std::uint64_t windows);
  // `share` of the job is done.
  void show(double share, const std::string& text);
  // Call before printing anything else on the terminal.
  void clear();

 private:
  const std::string what_;
  const bool terminal_;
  const MonotonicTime started_;
  std::optional<MonotonicTime> shown_;
  bool drawn_ = false;
};

// "00:04", "1:02:03"; with tenths where `tenths`.
std::string position_text(MediaTime position, bool tenths = false);
// "00:10 of 01:00, 3 windows, 00:42 left"
std::string progress_text(MediaTime position, std::optional<MediaTime> total, std::uint64_t windows,
                          std::chrono::nanoseconds elapsed);

}  // namespace palisade
