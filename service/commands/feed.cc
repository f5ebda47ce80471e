// `palisade feed`, hidden: the process of one camera, started by FeedProcess.
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "base/error.h"
#include "ingest/feed_channel.h"
#include "ingest/feed_child.h"
#include "service/commands/command.h"

namespace palisade {
namespace {

constexpr rlim_t kMaxDescriptors = 256;

void limit(int resource, rlim_t most) {
  rlimit now{};
  getrlimit(__rlimit_resource_t(resource), &now);
  now.rlim_cur = now.rlim_max = std::min(most, now.rlim_max);
  setrlimit(__rlimit_resource_t(resource), &now);
}

int feed(std::size_t memory_bytes) {
  if (fcntl(kFeedChannel, F_GETFD) < 0) throw UsageError("feed is run by serve, for one of its cameras");
  fcntl(kFeedChannel, F_SETFD, FD_CLOEXEC);
  const pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) return kFailed;
  signal(SIGPIPE, SIG_IGN);
  signal(SIGINT, SIG_IGN);                   // of a terminal; the parent says when it is time
  mallopt(M_ARENA_MAX, 2);                   // each reserves 64 MiB of address space
  setenv("GSETTINGS_BACKEND", "memory", 1);  // GLib else looks for settings of a desktop
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, kMaxDescriptors);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their shadow is larger than any limit
  if (memory_bytes > 0) limit(RLIMIT_AS, memory_bytes);
#endif
  return run_feed_child(kFeedChannel);
}

}  // namespace

void add_feed(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("feed", "The process of one camera, which serve starts");
  command->group("");  // not in the help
  const auto memory_bytes = std::make_shared<std::size_t>(0);
  command->add_option("--memory", *memory_bytes, "Bytes of address space; 0: no limit");
  command->callback([&run, memory_bytes] { run = [memory_bytes] { return feed(*memory_bytes); }; });
}

}  // namespace palisade
