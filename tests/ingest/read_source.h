#pragma once

#include <doctest/doctest.h>

#include "ingest/source.h"

namespace palisade::test {

// Every frame is wanted.
inline bool all(const FrameStamp&) {
  return true;
}

// The error that reading the source to its end gives.
inline SourceError error_of(const SourceOptions& options) {
  try {
    const auto source = open_source(options, {});
    while (source->next(all)) {
    }
  } catch (const SourceError& e) {
    return e;
  }
  FAIL("it was read without an error");
  return {SourceFault::kInterrupted, ""};
}

}  // namespace palisade::test
