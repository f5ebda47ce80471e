#include "ingest/confinement.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <thread>

#include "ingest/open_source.h"
#include "tests/ingest/test_files.h"

using namespace palisade;

namespace {

constexpr int kNoChannel = 999;

// The exit code of a process of its own that does this.
int exit_code_of(const std::function<int()>& act) {
  const pid_t child = fork();
  if (child == 0) _exit(act());
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

// Whether it can be done in a process that is confined to this source.
bool possible_in_confinement(const SourceOptions& source, const std::function<bool()>& act) {
  return exit_code_of([&] {
           confine_process(source, kNoChannel);
           return act() ? 1 : 0;
         }) == 1;
}

bool can_read(const std::string& path) {
  return open(path.c_str(), O_RDONLY | O_CLOEXEC) >= 0;
}

bool has_landlock() {
  return exit_code_of([] {
           return confine_process({}, kNoChannel).in_force.starts_with("seccomp, Landlock") ? 1 : 0;
         }) == 1;
}

}  // namespace

TEST_CASE(
    "a confined process can decode its source, and neither read, start, trace nor listen to anything else") {
  if (!has_landlock()) {
    MESSAGE("this kernel lacks seccomp or Landlock: nothing to be tested");
    return;
  }
  const SourceOptions source{.url = test::golden("clips/street.mp4")};
  const auto possible = [&](const std::function<bool()>& act) {
    return possible_in_confinement(source, act);
  };
  CHECK(possible([&] { return can_read(source.url); }));
  CHECK(possible([] { return can_read("/etc/hosts") && can_read("/usr/lib"); }));
  CHECK(possible([] {
    std::thread([] {}).join();
    return socket(AF_INET, SOCK_DGRAM, 0) >= 0;
  }));
  CHECK_FALSE(possible([] { return can_read("/etc/passwd"); }));
  CHECK_FALSE(possible([] { return can_read(test::golden("clips/late_start.mp4")); }));
  CHECK_FALSE(possible([] { return open("/tmp/palisade-confined", O_WRONLY | O_CREAT, 0600) >= 0; }));
  CHECK_FALSE(possible([&] { return open(source.url.c_str(), O_RDWR) >= 0; }));
  CHECK_FALSE(possible([] {
    execl("/bin/true", "true", nullptr);
    return errno != EPERM && errno != EACCES;
  }));
  CHECK_FALSE(possible([] { return fork() >= 0; }));
  CHECK_FALSE(possible([] { return ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr) == 0; }));
  CHECK_FALSE(possible([] { return kill(getppid(), 0) == 0; }));
  CHECK_FALSE(possible([] { return listen(socket(AF_INET, SOCK_STREAM, 0), 1) == 0; }));
}

TEST_CASE("what is prepared before a process is confined starts no thread, which would not be confined") {
  for (const char* const url :
       {"rtsps://127.0.0.1/live", "rtsp://127.0.0.1/live", "gst:videotestsrc", "/film.mp4"}) {
    CAPTURE(url);
    CHECK(exit_code_of([&] {
            prepare_source({.url = url, .allow_launch = true});
            int threads = 0;
            for (const auto& each : std::filesystem::directory_iterator("/proc/self/task"))
              threads += !each.path().empty();
            return threads;
          }) == 1);
  }
}
