#pragma once

#include "base/error.h"

namespace palisade {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUse = 2;  // or a configuration that cannot be used
inline constexpr int kUnavailable = 3;

constexpr int exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kFailed:
      return kFailed;
    case ErrorKind::kWrongUse:
      return kWrongUse;
    case ErrorKind::kUnavailable:
      return kUnavailable;
  }
  return kFailed;
}

}  // namespace palisade
