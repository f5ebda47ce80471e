#pragma once

#include <doctest/doctest.h>

#include "ingest/open_source.h"
#include "ingest/source/source.h"

namespace palisade::test {

// The predicate that selects every frame.
inline bool all(const FrameStamp&) {
  return true;
}

// The error of reading to the end.
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

// The error of opening and reading to the end.
inline SourceError error_of(const SourceOptions& options) {
  try {
    return error_of(*open_source(options, {}));
  } catch (const SourceError& e) {
    return e;
  }
}

}  // namespace palisade::test
