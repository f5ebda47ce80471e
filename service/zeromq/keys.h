#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace zmq {
class context_t;
class socket_t;
}  // namespace zmq

namespace palisade {

// CURVE (rfc.zeromq.org/spec/26): a service and its subscribers know each other by keys, and nobody else can
// read or send. Keys are Z85 text of 40 digits.
struct KeyPair {
  std::string public_key, secret_key;
  bool operator==(const KeyPair&) const = default;
};
KeyPair new_keys();

// FOLDER/NAME.key (both keys, for its owner alone: 0600) and FOLDER/NAME.pub (the public one, to be handed
// on). Throws Error where one is there already or cannot be written.
void write_keys(const std::filesystem::path& folder, const std::string& name, const KeyPair& keys);
// Throws Error where the file is none of write_keys(), or others may read a file of secrets.
KeyPair read_key_file(const std::filesystem::path& file);
std::string read_public_key(const std::filesystem::path& file);  // of either file

// Who may subscribe and ask: names by public key. A line of the file is "NAME KEY"; # begins a comment.
using Clients = std::map<std::string, std::string>;
// Throws Error with file and line.
Clients read_clients(const std::filesystem::path& file);

// What a service needs to be encrypted.
struct ServiceKeys {
  KeyPair own;
  Clients clients;
  bool operator==(const ServiceKeys&) const = default;
};

// Makes a socket of a service encrypted. Before it is bound.
void encrypt_service(zmq::socket_t& socket, const KeyPair& keys);
// Makes a socket of a client encrypted. Before it is connected.
struct ClientKeys {
  KeyPair own;
  std::string service;  // its public key
};
void encrypt_client(zmq::socket_t& socket, const ClientKeys& keys);

// Lets clients in by their keys, or not (ZAP, rfc.zeromq.org/spec/27): answers libzmq's questions about the
// sockets of one context. One thread's, but for allow().
class ZapDoor {
 public:
  // Before any encrypted socket of the context is bound. `name` begins log lines.
  ZapDoor(zmq::context_t& context, std::string name, Clients clients);
  ~ZapDoor();
  ZapDoor(const ZapDoor&) = delete;
  ZapDoor& operator=(const ZapDoor&) = delete;

  zmq::socket_t& socket();  // to be polled
  void answer();            // whatever waits
  // Any thread: from now on these. True where somebody is no longer among them.
  bool allow(Clients clients);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palisade
