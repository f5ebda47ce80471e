#pragma once

#include <doctest/doctest.h>

#include "ingest/open_source.h"
#include "ingest/source/source.h"

namespace palisade::test {

// Every frame is wanted.
inline bool all(const FrameStamp&) {
  return true;
}

// The error that reading to the end gives.
inline SourceError error_of(Source& source) {
  try {
    while (source.next(all)) {
    }
  } catch (const SourceError& e) {
    return e;
  }
  FAIL("it was read without an error");
  return {SourceFault::kInterrupted, ""};
}

// The same of opening, too.
inline SourceError error_of(const SourceOptions& options) {
  try {
    return error_of(*open_source(options, {}));
  } catch (const SourceError& e) {
    return e;
  }
}

}  // namespace palisade::test
