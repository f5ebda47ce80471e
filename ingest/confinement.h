#pragma once

#include <string>

#include "ingest/source/source.h"

namespace palisade {

// Takes from this process, for good, what reading a camera does not need: starting programs and processes,
// looking into others, listening, and any file but libraries, certificates, the tables of names, graphics
// devices and the source itself (seccomp and Landlock). To be called before other threads are started: those
// inherit it. Returns what is in force, for the log: "seccomp, Landlock".
std::string confine_process(const SourceOptions& source);

}  // namespace palisade
