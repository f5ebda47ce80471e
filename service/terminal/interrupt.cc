#include "service/terminal/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/partial_file.h"

namespace palisade {
namespace {

namespace asio = boost::asio;

std::mutex exit_mutex;
std::optional<int> exit_code;  // of the ImmediateExit that lives; guarded by exit_mutex
bool interrupted = false;      // whether the Interrupt that lives has had a signal; guarded by exit_mutex

void exit_if_asked() {
  if (!exit_code || !interrupted) return;
  log_info("stopped while the model was being loaded");
  discard_partial_files();
  _exit(*exit_code);
}

void tell_interrupted(bool is) {
  const std::lock_guard lock(exit_mutex);
  interrupted = is;
  exit_if_asked();
}

void mask_signals(int how) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(how, &signals, nullptr);
}

}  // namespace

class Interrupt::Signals {
 public:
  explicit Signals(std::stop_source stop) : stop_(std::move(stop)) {
    signal(SIGPIPE, SIG_IGN);
    await_interruption();
    for (std::thread& thread : threads_) thread = std::thread([this] { io_.run(); });
    // The calling thread and those that it starts from now on are not disturbed: only the two above see
    // signals.
    mask_signals(SIG_BLOCK);
  }
  ~Signals() {
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
    mask_signals(SIG_UNBLOCK);
    tell_interrupted(false);
  }

  void on_hangup(std::function<void()> callback) {
    {
      const std::lock_guard lock(mutex_);
      on_hangup_ = std::move(callback);
    }
    if (std::exchange(hears_hangups_, true)) return;
    hangups_.add(SIGHUP);
    await_hangup();
  }

 private:
  // Waits for the next signal before the first is acted on, which may take a while.
  void await_interruption() {
    interruptions_.async_wait([this](const boost::system::error_code& error, int number) {
      if (error) return;
      if (interrupted_.exchange(true)) _exit(128 + number);
      await_interruption();
      tell_interrupted(true);
      stop_.request_stop();
    });
  }
  void await_hangup() {
    hangups_.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      {
        const std::lock_guard lock(mutex_);
        if (on_hangup_) on_hangup_();
      }
      await_hangup();
    });
  }

  std::stop_source stop_;
  std::atomic<bool> interrupted_ = false;
  bool hears_hangups_ = false;  // the main thread's
  std::mutex mutex_;
  std::function<void()> on_hangup_;  // guarded by mutex_
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  asio::signal_set interruptions_{io_, SIGINT, SIGTERM};
  asio::signal_set hangups_{io_};
  std::array<std::thread, 2> threads_;  // one may be busy with what a signal leads to
};

Interrupt::Interrupt() : signals_(std::make_unique<Signals>(stop_)) {}
Interrupt::~Interrupt() = default;

void Interrupt::on_hangup(std::function<void()> callback) {
  signals_->on_hangup(std::move(callback));
}

ImmediateExit::ImmediateExit(int code) {
  const std::lock_guard lock(exit_mutex);
  exit_code = code;
  exit_if_asked();
}

ImmediateExit::~ImmediateExit() {
  const std::lock_guard lock(exit_mutex);
  exit_code.reset();
}

}  // namespace palisade
