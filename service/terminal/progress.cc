#include "service/terminal/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/format.h"

namespace palisade {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kBetweenLines{5};
constexpr std::chrono::milliseconds kBetweenDrawings{100};
constexpr int kBarWidth = 24;

double share_of(MediaTime position, std::optional<MediaTime> total) {
  if (!total || total->count() <= 0) return 0;
  return std::clamp(double(position.count()) / double(total->count()), 0.0, 1.0);
}

std::string bar(double share) {
  const int filled = int(share * kBarWidth);
  return "[" + std::string(std::size_t(filled), '#') + std::string(std::size_t(kBarWidth - filled), '.') +
         "] ";
}

}  // namespace

std::string position_text(MediaTime position, bool tenths) {
  const long long tenths_in_all = std::chrono::round<std::chrono::milliseconds>(position).count() / 100;
  const long long seconds = tenths_in_all / 10;
  std::string shown = seconds >= 3600
                          ? format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
                          : format("{:02}:{:02}", seconds / 60, seconds % 60);
  if (tenths) shown += format(".{}", tenths_in_all % 10);
  return shown;
}

std::string progress_text(MediaTime position, std::optional<MediaTime> total, std::uint64_t windows,
                          std::chrono::nanoseconds elapsed) {
  std::string text = position_text(position);
  if (total) text += " of " + position_text(*total);
  text += format(", {}{}", windows, windows == 1 ? " window" : " windows");
  const double share = share_of(position, total);
  if (share > 0.01 && share < 1) {
    const double left = double(elapsed.count()) * (1 - share) / share;
    text += ", " + position_text(std::chrono::nanoseconds(std::int64_t(left))) + " left";
  }
  return text;
}

Progress::Progress(std::string what)
    : what_(std::move(what)), terminal_(isatty(STDERR_FILENO) != 0), started_(steady_clock::now()) {}

Progress::~Progress() {
  clear();
}

void Progress::show(MediaTime position, std::optional<MediaTime> total, std::uint64_t windows) {
  show(share_of(position, total), progress_text(position, total, windows, steady_clock::now() - started_));
}

void Progress::show(double share, const std::string& text) {
  const auto now = steady_clock::now();
  const std::chrono::nanoseconds pause =
      terminal_ ? std::chrono::nanoseconds(kBetweenDrawings) : kBetweenLines;
  if (now - shown_.value_or(terminal_ ? started_ - pause : started_) < pause) return;
  shown_ = now;
  if (terminal_) {
    std::fprintf(stderr, "\r\x1b[K%s %s%s", what_.c_str(), bar(share).c_str(), text.c_str());
    drawn_ = true;
  } else {
    std::fprintf(stderr, "%s: %s\n", what_.c_str(), text.c_str());
  }
}

void Progress::clear() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
  // Drawn again after the next line is printed.
  if (terminal_) shown_.reset();
}

}  // namespace palisade
