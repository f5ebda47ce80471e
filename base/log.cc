#include "base/log.h"

#include <sys/resource.h>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <vector>

#include "base/format.h"
#include "base/redaction.h"

namespace palisade {
namespace {

struct Secrets {
  std::mutex mutex;
  std::vector<std::string> all;  // guarded by mutex; sorted by length, longest first: one may contain another
};

Secrets& secrets() {
  static Secrets known;
  return known;
}

spdlog::logger& logger() {
  static const auto made = [] {
    auto log =
        std::make_shared<spdlog::logger>("palisade", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    log->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    log->flush_on(spdlog::level::trace);
    return log;
  }();
  return *made;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string hex_escape(unsigned char c) {
  return format("\\x{:02x}", c);
}

}  // namespace

std::optional<LogLevel> log_level_of(std::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "info") return LogLevel::kInfo;
  if (name == "warning") return LogLevel::kWarning;
  if (name == "error") return LogLevel::kError;
  return std::nullopt;
}

void log_line(LogLevel level, std::string_view text) {
  logger().log(spdlog_level(level), "{}", escaped(redacted(text)));
}

void log_from(LogLevel least) {
  logger().set_level(spdlog_level(least));
}

void hide_secret(std::string_view secret) {
  constexpr std::size_t kMinLength = 3;  // shorter ones occur in ordinary words
  if (secret.size() < kMinLength) return;
  // A core dump would contain it.
  const rlimit none{};
  setrlimit(RLIMIT_CORE, &none);
  const std::lock_guard lock(secrets().mutex);
  auto& all = secrets().all;
  if (std::ranges::find(all, secret) != all.end()) return;
  all.emplace_back(secret);
  std::ranges::stable_sort(all, std::greater{}, &std::string::size);
}

void hide_secrets_of(std::string_view url) {
  for (const std::string& secret : secrets_in(url)) hide_secret(secret);
}

std::string redacted(std::string_view text) {
  std::string clean(text);
  {
    // Before redact_text(), which may replace part of a secret, so that the rest would not be recognised.
    const std::lock_guard lock(secrets().mutex);
    for (const std::string& secret : secrets().all) clean = without(clean, secret);
  }
  return redact_text(clean);
}

std::string escaped(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F, two bytes in UTF-8, are control characters for some terminals.
    const bool c1 = c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (c == '\n') {
      clean += "\\n";
    } else if (c == '\t') {
      clean += "\\t";
    } else if (c1) {
      clean += hex_escape(static_cast<unsigned char>(text[++i]));
    } else if (c < 0x20 || c == 0x7f) {
      clean += hex_escape(c);
    } else {
      clean += text[i];
    }
  }
  return clean;
}

std::optional<std::uint64_t> OncePerSecond::count(std::uint64_t times, MonotonicTime now) {
  untold_ += times;
  if (untold_ == 0 || (told_ && now - *told_ < std::chrono::seconds(1))) return std::nullopt;
  told_ = now;
  return std::exchange(untold_, 0);
}

}  // namespace palisade
