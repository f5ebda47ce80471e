#include "ingest/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/format.h"
#include "ingest/feed_channel.h"
#include "ingest/source/source.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr timeval kSendPatience{.tv_sec = 2, .tv_usec = 0};
constexpr milliseconds kMaxDying{1'000};
constexpr int kBetweenLooks_us = 2'000;

[[noreturn]] void fail_to_start(const char* what, int fault) {
  throw SourceError(SourceFault::kUnreachable, std::string(what) + ": " + std::strerror(fault));
}

// 0, or what went wrong.
int spawn(std::vector<std::string>& command, int channel, pid_t& pid) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&files, channel, kFeedChannel);
  posix_spawn_file_actions_addclosefrom_np(&files, kFeedChannel + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int fault = posix_spawn(&pid, arguments.front(), &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return fault;
}

}  // namespace

ChildProcess::ChildProcess(std::vector<std::string> command) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    fail_to_start("no socket for its process", errno);
  channel_ = Descriptor(ends[0]);
  const Descriptor its_end(ends[1]);
  setsockopt(channel(), SOL_SOCKET, SO_SNDTIMEO, &kSendPatience, sizeof kSendPatience);
  if (const int fault = spawn(command, its_end.number(), pid_); fault != 0)
    fail_to_start("its process cannot be started", fault);
}

ChildProcess::~ChildProcess() {
  channel_ = Descriptor();
  end(milliseconds(0));
}

int ChildProcess::end(milliseconds patience) {
  const auto until = steady_clock::now() + patience;
  bool killed = false;
  while (!reaped_) {
    const auto now = steady_clock::now();
    if (now >= until && !std::exchange(killed, true)) kill(-pid_, SIGKILL);
    const pid_t ended = waitpid(pid_, &status_, WNOHANG);
    // A driver may keep even a killed one; it is left behind.
    reaped_ = ended == pid_ || (ended < 0 && errno != EINTR) || now >= until + kMaxDying;
    if (!reaped_) usleep(kBetweenLooks_us);
  }
  return status_;
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return format("its process was ended by signal {} ({})", number, strsignal(number));
  }
  return format("its process ended with code {}", WEXITSTATUS(status));
}

}  // namespace palisade
