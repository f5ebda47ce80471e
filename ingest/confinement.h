#pragma once

#include <string>

#include "base/descriptor.h"
#include "ingest/source/source.h"

namespace palisade {

struct Confinement {
  std::string in_force;    // for the log: "seccomp, Landlock 7"
  Descriptor connections;  // for a ConnectionGuard; not open where hosts cannot be limited
};

// Takes from this process, for good, what reading a camera does not need: starting programs and processes,
// looking into others, listening, any file but libraries, certificates, the tables of names, graphics devices
// and the source itself, and connections that nobody makes for it (seccomp and Landlock). A gst: line may
// connect to any host. `channel` is a socket that it keeps for good and may send on. To be called before
// other threads are started: those inherit it.
Confinement confine_process(const SourceOptions& source, int channel);

// Whether such a source may connect to its own hosts alone.
bool limits_hosts(const SourceOptions& source);

}  // namespace palisade
