#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace palisade {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
std::optional<LogLevel> log_level_of(std::string_view name);  // "debug", "info", "warning", "error"

// Writes a line to stderr. Control characters are escaped; credentials in URLs and hidden secrets are
// replaced by
// "***". Thread-safe.
void log_line(LogLevel level, std::string_view text);
inline void log_info(std::string_view text) {
  log_line(LogLevel::kInfo, text);
}
inline void log_warning(std::string_view text) {
  log_line(LogLevel::kWarning, text);
}
inline void log_error(std::string_view text) {
  log_line(LogLevel::kError, text);
}
void log_from(LogLevel least);  // lower levels are left out

// From now on the log and redacted() replace this password by "***", if it has three characters or more. Also
// sets RLIMIT_CORE to 0, because a core dump would contain the password.
void hide_secret(std::string_view secret);
// Hides everything that secrets_in() finds in a URL, a pipeline or an argument.
void hide_secrets_of(std::string_view url);
std::string redacted(std::string_view text);
// Replaces control characters by \n, \x1b and the like, so that the text is one harmless line in any
// terminal.
std::string escaped(std::string_view text);

// Limits how often something is reported: at most once a second, with a count. Not thread-safe.
class OncePerSecond {
 public:
  // Adds `times` to the count. Returns the count and starts again from 0 if the last report was a second ago
  // or more; otherwise returns nothing.
  std::optional<std::uint64_t> count(std::uint64_t times, MonotonicTime now);

 private:
  std::uint64_t untold_ = 0;
  std::optional<MonotonicTime> told_;
};

}  // namespace palisade
