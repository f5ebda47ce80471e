#include "service/terminal/interrupt.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

namespace palisade {
namespace {

// What a signal handler may touch: the pipe that wakes the watcher, and whether a signal came before.
std::atomic<int> wake_end{-1};
std::atomic<bool> interrupted{false};

constexpr char kSignal = 's';
constexpr char kHangup = 'h';
constexpr char kQuit = 'q';

void on_signal(int number) {
  const int saved_errno = errno;
  const bool hangup = number == SIGHUP;
  if (!hangup && interrupted.exchange(true)) _exit(128 + number);
  const ssize_t written = write(wake_end.load(), hangup ? &kHangup : &kSignal, 1);
  (void)written;
  errno = saved_errno;
}

void handle(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigaction(number, &action, nullptr);
}

void mask_signals(int how) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(how, &signals, nullptr);
}

}  // namespace

Interrupt::Interrupt() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  read_end_ = ends[0];
  wake_end = ends[1];
  interrupted = false;
  handle(SIGINT, on_signal);
  handle(SIGTERM, on_signal);
  handle(SIGPIPE, SIG_IGN);
  watcher_ = std::thread([this] {
    char what = kSignal;
    while (what != kQuit) {
      if (read(read_end_, &what, 1) != 1) continue;
      if (what == kSignal) stop_.request_stop();
      if (what == kHangup) hangup();
    }
  });
  // This thread and those it starts from now on are not disturbed: only the watcher sees signals.
  mask_signals(SIG_BLOCK);
}

void Interrupt::on_hangup(std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    on_hangup_ = std::move(callback);
  }
  handle(SIGHUP, on_signal);
}

void Interrupt::hangup() {
  const std::lock_guard lock(mutex_);
  if (on_hangup_) on_hangup_();
}

Interrupt::~Interrupt() {
  const ssize_t written = write(wake_end.load(), &kQuit, 1);
  (void)written;
  watcher_.join();
  handle(SIGINT, SIG_DFL);
  handle(SIGTERM, SIG_DFL);
  handle(SIGHUP, SIG_DFL);
  mask_signals(SIG_UNBLOCK);
  close(read_end_);
  close(wake_end.exchange(-1));
}

}  // namespace palisade
