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

// Lines on stderr, from any thread. Control characters are escaped, URLs' credentials and hidden secrets
// replaced.
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
void log_from(LogLevel least);

// From now on this password, of three characters or more, shows as *** in whatever passes through redacted()
// or the log, and this process leaves no core dump (RLIMIT_CORE).
void hide_secret(std::string_view secret);
// The same of what secrets_in() finds in a URL, a pipeline or an argument.
void hide_secrets_of(std::string_view url);
std::string redacted(std::string_view text);
// One line of text that no terminal or log reader takes for anything else: control characters as \n or \x1b.
std::string escaped(std::string_view text);

// Lets a thing that happens often be told at most once a second, with how often it happened. One thread's.
class OncePerSecond {
 public:
  // Counts `times`; returns all that was counted since it last returned something, when it may be told again.
  std::optional<std::uint64_t> count(std::uint64_t times, MonotonicTime now);

 private:
  std::uint64_t untold_ = 0;
  std::optional<MonotonicTime> told_;
};

}  // namespace palisade
