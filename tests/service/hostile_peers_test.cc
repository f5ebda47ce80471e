// Peers of the publisher and of control that violate the protocol or its limits.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "service/bench/memory.h"
#include "service/endpoints/endpoint.h"
#include "service/zeromq/control.h"
#include "tests/service/publishing_road.h"
#include "tests/service/raw_peer.h"
#include "tests/service/subscriber.h"

using namespace palisade;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

class PeersFolder {
 public:
  PeersFolder() {
    std::string name = (fs::temp_directory_path() / "palisade-peers-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~PeersFolder() { fs::remove_all(path); }
  std::string endpoint(const char* name) const { return "ipc://" + (path / name).string(); }
  fs::path path;
};

// Checks that the publisher still serves: a new subscriber receives a heartbeat.
void serves(const PublishingRoad& publisher) {
  Subscriber subscriber(publisher.endpoint(), {std::string(kHeartbeatTopic)});
  CHECK_NOTHROW(subscriber.next_of(std::string(kHeartbeatTopic)));
}

std::string unfinished(std::size_t bytes) {
  std::string frame = zmtp_message({std::string(bytes, 'x'), ""});
  return frame.substr(0, frame.size() - 2);
}

}  // namespace

TEST_CASE("hundreds of megabytes of unfinished messages do not stay in memory, and the peer is cut off") {
  log_from(LogLevel::kError);
  const PeersFolder folder;
  const PublishingRoad publisher({.heartbeat = 20ms});
  const Control control(folder.endpoint("control"), [](const ControlRequest&) { return std::nullopt; });
  const auto before = resident_memory();
  for (const auto& [endpoint, type, size] : {std::tuple{publisher.endpoint(), "SUB", 60'000},
                                             {publisher.endpoint(), "XSUB", 200},
                                             {control.endpoint(), "REQ", 4'000},
                                             {control.endpoint(), "DEALER", 10}}) {
    CAPTURE(type);
    RawPeer peer(endpoint, type);
    const std::string frame = unfinished(std::size_t(size));
    std::string chunk;
    while (chunk.size() < 600'000) chunk += frame;
    std::size_t sent = 0;
    while (sent < 400'000'000 && peer.send(chunk)) sent += chunk.size();
    CHECK(sent < 4'000'000);  // what the system's own buffers take
    CHECK(peer.closed());
  }
  serves(publisher);
  CHECK(resident_memory() < before + (32u << 20));
}

TEST_CASE("a subscriber of too many, too long or no topics is cut off, and the others are served") {
  log_from(LogLevel::kError);
  const PublishingRoad publisher({.heartbeat = 20ms});
  std::string many, commands;
  for (int i = 0; i < 300; ++i) {
    many += zmtp_message({format("\x01{}", i)});
    commands += zmtp_command("SUBSCRIBE", std::to_string(i));
  }
  for (const std::string& hostile :
       {many, commands, zmtp_message({"\x01" + std::string(300, 'a')}), zmtp_message({"a message"}),
        zmtp_message({""}), zmtp_message({"\x01topic", "and more"}),
        zmtp_command("SUBSCRIBE", std::string(300, 'a'))}) {
    RawPeer peer(publisher.endpoint());
    peer.send(hostile);
    CHECK(peer.closed());
  }
  // Subscribing and unsubscribing is allowed, and ended subscriptions do not count.
  RawPeer restless(publisher.endpoint());
  for (int i = 0; i < 2000; ++i)
    CHECK(restless.send(zmtp_message({format("\x01{}", i)}) +
                        zmtp_message({std::string(1, '\0') + std::to_string(i)})));
  serves(publisher);
}

TEST_CASE("peers that come in hundreds, say nothing or never read are bounded in number and cost") {
  log_from(LogLevel::kError);
  PublishingRoad publisher({.heartbeat = 20ms});
  {
    std::vector<std::unique_ptr<RawPeer>> crowd;
    for (int i = 0; i < 400; ++i) crowd.push_back(std::make_unique<RawPeer>(publisher.endpoint(), ""));
    CHECK(crowd.back()->closed());
    CHECK(crowd.front()->closed());  // did not introduce itself
  }
  RawPeer pinging(publisher.endpoint());
  std::string pings;
  for (int i = 0; i < 10'000; ++i) pings += zmtp_command("PING", std::string(2, '\0') + std::string(16, 'x'));
  while (pinging.send(pings)) {
  }
  serves(publisher);
}

TEST_CASE(
    "a service that has no descriptors left refuses new peers, serves the others, and lets them in later") {
  log_from(LogLevel::kError);
  PublishingRoad publisher({.heartbeat = 20ms});
  Subscriber subscriber(publisher.endpoint(), {std::string(kHeartbeatTopic)});
  subscriber.next();
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  RawPeer waiting(publisher.endpoint(), "");
  {
    std::vector<Descriptor> all;
    for (Descriptor each(dup(0)); each.number() >= 0; each = Descriptor(dup(0))) {
      all.push_back(std::move(each));
      if (all.size() > 100'000) break;
    }
    for (int i = 0; i < 5; ++i) CHECK_NOTHROW(subscriber.next());
  }
  serves(publisher);
}

TEST_CASE("an abstract socket, and a path in a folder of everybody's, are refused with the reason") {
  const PeersFolder folder;
  fs::create_directory(folder.path / "open");
  fs::permissions(folder.path / "open", fs::perms::all);
  CHECK_THROWS_WITH_AS(Publisher({.endpoint = "ipc://@palisade"}), doctest::Contains("abstract socket"),
                       Unavailable);
  CHECK_THROWS_WITH_AS(Publisher({.endpoint = folder.endpoint("open/events")}), doctest::Contains("anybody"),
                       Unavailable);
  CHECK_THROWS_AS(send_control("ipc://@palisade", {"ask_now"}, 100ms), UsageError);
}

TEST_CASE("what is not a dead socket stays where it is") {
  const PeersFolder folder;
  std::ofstream(folder.path / "file") << "precious";
  fs::create_symlink(folder.path / "file", folder.path / "link");
  fs::create_directory(folder.path / "folder");
  for (const char* const name : {"file", "link", "folder"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(Publisher({.endpoint = folder.endpoint(name)}), Unavailable);
    CHECK(fs::exists(fs::symlink_status(folder.path / name)));
  }
  fs::create_symlink(folder.path / "file", folder.path / "events.lock");
  CHECK_THROWS_AS(Publisher({.endpoint = folder.endpoint("events")}), Unavailable);
  std::string kept;
  std::getline(std::ifstream(folder.path / "file"), kept);
  CHECK(kept == "precious");
  // A socket on which another program listens is left alone; one on which nobody listens is replaced.
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder.path / "socket").string().copy(address.sun_path, sizeof address.sun_path - 1);
  {
    const Descriptor other(socket(AF_UNIX, SOCK_STREAM, 0));
    REQUIRE(bind(other.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(other.number(), 1) == 0);
    CHECK_THROWS_WITH_AS(Publisher({.endpoint = folder.endpoint("socket")}), doctest::Contains("in use"),
                         Unavailable);
  }
  CHECK_NOTHROW(Publisher({.endpoint = folder.endpoint("socket")}));
  CHECK_FALSE(fs::exists(folder.path / "socket"));
}
