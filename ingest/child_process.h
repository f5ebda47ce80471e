#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/descriptor.h"

namespace palisade {

// A program that runs as a child, in a process group of its own and with nothing of this process but one end
// of a socket, its descriptor `kFeedChannel`. Killed and reaped where it is still there at the end. One
// thread's.
class ChildProcess {
 public:
  // Throws SourceError where there is no room for another process.
  explicit ChildProcess(std::vector<std::string> command);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // This end of the socket; sending to a child that takes nothing fails after two seconds.
  int channel() const { return channel_.number(); }
  pid_t pid() const { return pid_; }
  // How it ended, as waitpid() tells; killed where it has not within the time.
  int end(std::chrono::milliseconds patience);

 private:
  Descriptor channel_;
  pid_t pid_ = -1;
  bool reaped_ = false;
  int status_ = 0;
};

// "its process was ended by signal 11 (Segmentation fault)".
std::string how_it_ended(int status);

}  // namespace palisade
