#pragma once

#include <stop_token>
#include <thread>

namespace palisade {

// Turns SIGINT and SIGTERM into a stop token while it lives; a second signal ends the program at once. At
// most one at a time, made and ended on the main thread.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
  int read_end_ = -1;
  std::thread watcher_;
};

}  // namespace palisade
