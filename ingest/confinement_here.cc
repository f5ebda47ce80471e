#include "ingest/confinement_here.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <vector>

#include "base/descriptor.h"
#include "ingest/confinement.h"
#include "ingest/connection_guard.h"
#include "ingest/feed_channel.h"

namespace palisade {
namespace {

// In the new process: says what is in force, and stays until the other end has looked at it.
[[noreturn]] void try_and_tell(int channel, int other_end) {
  close(other_end);  // else the channel would never end
  dup2(channel, kFeedChannel);
  Confinement confinement = confine_process({.url = "rtsp://127.0.0.1/"}, kFeedChannel);
  std::vector<Descriptor> connections;
  if (confinement.connections.is_open()) connections.push_back(std::move(confinement.connections));
  send_whole(kFeedChannel, confinement.in_force, connections);
  char byte = 0;
  (void)!read(kFeedChannel, &byte, 1);
  _exit(0);
}

}  // namespace

std::string confinement_here() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return "unknown";
  Descriptor here(ends[0]), there(ends[1]);
  const pid_t child = fork();
  if (child == 0) try_and_tell(there.number(), here.number());
  there = Descriptor();
  std::array<char, 100> bytes{};
  std::deque<Descriptor> came;
  const std::size_t got = child > 0 ? receive_some(here.number(), bytes, came) : 0;
  std::string text = got > 0 ? std::string(bytes.data(), got) : "unknown";
  if (came.empty()) {
    text.append(", ").append(kNoLimitOfHosts);
  } else {
    text.append(", ").append(
        ConnectionGuard(std::move(came.front()), child, AllowedHosts(std::vector<std::string>()), "")
            .in_force());
  }
  here = Descriptor();
  if (child > 0) waitpid(child, nullptr, 0);
  return text;
}

}  // namespace palisade
