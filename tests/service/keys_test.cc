#include "service/zeromq/keys.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "base/error.h"
#include "service/endpoints/endpoint.h"
#include "service/zeromq/publisher.h"
#include "service/zeromq/replay.h"
#include "tests/service/state_folder.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

Message event(int number) {
  return {.kind = EventKind::kAnswer, .topic = "palisade/v1/door/caption", .json = std::to_string(number)};
}

// A subscriber of libzmq's own, as other programs have it.
class Hearer {
 public:
  Hearer(const std::string& endpoint, const std::optional<ClientKeys>& keys)
      : socket_(context_, zmq::socket_type::sub) {
    if (keys) encrypt_client(socket_, *keys);
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::subscribe, "");
    socket_.set(zmq::sockopt::rcvtimeo, 50);
    socket_.set(zmq::sockopt::reconnect_ivl, 20);
    socket_.connect(endpoint);
  }
  // Whether anything comes of what the publisher goes on to say.
  bool hears(Publisher& publisher, int turns) {
    for (int i = 0; i < turns; ++i) {
      publisher.take(std::make_shared<const Message>(event(i)));
      zmq::message_t topic, body;
      if (socket_.recv(topic) && socket_.recv(body)) return true;
    }
    return false;
  }
  void forget() {
    zmq::message_t part;
    while (socket_.recv(part)) {
    }
  }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
};

}  // namespace

TEST_CASE("keys are written for their owner alone, never replaced, and read back") {
  const StateFolder folder;
  const KeyPair keys = new_keys();
  write_keys(folder.path(), "alice", keys);
  struct stat status {};
  REQUIRE(stat((folder.path() / "alice.key").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(read_key_file(folder.path() / "alice.key") == keys);
  CHECK(read_public_key(folder.path() / "alice.pub") == keys.public_key);
  CHECK(read_public_key(folder.path() / "alice.key") == keys.public_key);
  CHECK_THROWS_WITH_AS(write_keys(folder.path(), "alice", new_keys()), doctest::Contains("never replaced"),
                       Error);
  CHECK_THROWS_AS(read_key_file(folder.path() / "alice.pub"), Error);
  chmod((folder.path() / "alice.key").c_str(), 0640);
  CHECK_THROWS_WITH_AS(read_key_file(folder.path() / "alice.key"), doctest::Contains("chmod"), Error);
}

TEST_CASE("a file of clients is read line by line, and a mistake is named") {
  const StateFolder folder;
  const std::string one = new_keys().public_key, other = new_keys().public_key;
  const auto file = folder.path() / "clients";
  std::ofstream(file) << "# who may listen\n\nalice " << one << "\n  bob\t" << other << " # the bridge\r\n";
  const Clients clients = read_clients(file);
  REQUIRE(clients.size() == 2);
  CHECK(clients.at(one) == "alice");
  CHECK(clients.at(other) == "bob");
  const std::vector<std::string> mistakes{"alice", "alice short", "alice " + one + " more", one,
                                          "alice " + one.substr(1) + "\xff"};
  for (const std::string& line : mistakes) {
    std::ofstream(file) << "# first\n" << line << "\n";
    CAPTURE(line);
    CHECK_THROWS_WITH_AS(read_clients(file), doctest::Contains("clients:2"), Error);
  }
}

TEST_CASE("who has a key hears, who has another or none hears nothing, and who lost it is cut off") {
  const KeyPair server = new_keys(), alice = new_keys(), mallory = new_keys();
  Publisher publisher({.endpoint = "tcp://127.0.0.1:*",
                       .keys = ServiceKeys{.own = server, .clients = {{alice.public_key, "alice"}}}});
  Hearer hearer(publisher.endpoint(), ClientKeys{.own = alice, .service = server.public_key});
  CHECK(hearer.hears(publisher, 100));
  Hearer stranger(publisher.endpoint(), ClientKeys{.own = mallory, .service = server.public_key});
  Hearer misled(publisher.endpoint(), ClientKeys{.own = alice, .service = new_keys().public_key});
  Hearer plain(publisher.endpoint(), std::nullopt);
  CHECK_FALSE(stranger.hears(publisher, 10));
  CHECK_FALSE(misled.hears(publisher, 10));
  CHECK_FALSE(plain.hears(publisher, 10));
  publisher.allow({{mallory.public_key, "mallory"}});
  std::this_thread::sleep_for(200ms);
  hearer.forget();
  CHECK_FALSE(hearer.hears(publisher, 10));
  // libzmq does not come back by itself once it was refused.
  Hearer admitted(publisher.endpoint(), ClientKeys{.own = mallory, .service = server.public_key});
  CHECK(admitted.hears(publisher, 200));
}

TEST_CASE("what was missed is asked for under keys") {
  const KeyPair server = new_keys(), alice = new_keys();
  const ServiceKeys keys{.own = server, .clients = {{alice.public_key, "alice"}}};
  ReplayServer replay(
      "tcp://127.0.0.1:*", [](const ReplayRequest&) { return ReplayAnswer{.position = 7}; }, keys);
  ReplayClient client(replay.endpoint(), ClientKeys{.own = alice, .service = server.public_key});
  CHECK(client.ask(R"({"position": "end"})", 10s).position == 7);
  ReplayClient stranger(replay.endpoint(), ClientKeys{.own = new_keys(), .service = server.public_key});
  CHECK_THROWS_AS(stranger.ask(R"({"position": "end"})", 500ms), Unavailable);
  ReplayClient plain(replay.endpoint());
  CHECK_THROWS_AS(plain.ask(R"({"position": "end"})", 500ms), Unavailable);
}

TEST_CASE("beyond this machine only with encryption") {
  for (const char* const endpoint : {"tcp://0.0.0.0:5557", "tcp://192.0.2.1:5557", "tcp://[::]:5557"}) {
    CAPTURE(endpoint);
    CHECK(endpoint_fault(endpoint)->find("keys") != std::string::npos);
    CHECK_FALSE(endpoint_fault(endpoint, true));
  }
  CHECK(endpoint_fault("tcp://example.org:5557", true));
  CHECK(endpoint_fault("tcp://eth0:5557", true));
}
