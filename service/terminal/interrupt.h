#pragma once

#include <functional>
#include <memory>
#include <stop_token>

namespace palisade {

// Turns SIGINT and SIGTERM into a stop token while it lives; a second one ends the program at once. At most
// one at a time, made and ended on the main thread.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return stop_.get_token(); }
  // Called on a thread of this object at every SIGHUP from now on; waits for one that is under way. Before it
  // a SIGHUP ends the program, as ever.
  void on_hangup(std::function<void()> callback);

 private:
  class Signals;
  std::stop_source stop_;
  std::unique_ptr<Signals> signals_;
};

// While it lives, a signal that an Interrupt handles ends the process at once with this code. It is for work
// that cannot be interrupted, such as loading a model. Partial files are removed. One at a time, on any
// thread.
class ImmediateExit {
 public:
  explicit ImmediateExit(int code);
  ~ImmediateExit();
  ImmediateExit(const ImmediateExit&) = delete;
  ImmediateExit& operator=(const ImmediateExit&) = delete;
};

}  // namespace palisade
