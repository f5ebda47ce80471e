#include "service/zeromq/keys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <sstream>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"

namespace palisade {
namespace {

constexpr std::size_t kKeyDigits = 40, kKeyBytes = 32;
constexpr std::size_t kMaxKeyFileBytes = 4096, kMaxClientsBytes = 1u << 20;
constexpr char kZapAddress[] = "inproc://zeromq.zap.01";
constexpr std::string_view kPublic = "public: ", kSecret = "secret: ";

bool is_key(const std::string& text) {
  std::array<std::uint8_t, kKeyBytes> bytes;
  return text.size() == kKeyDigits && zmq_z85_decode(bytes.data(), text.c_str()) != nullptr;
}

// The key on the line that begins with `label`; nothing where there is none.
std::optional<std::string> key_after(std::string_view label, const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.starts_with(label) && is_key(line.substr(label.size()))) return line.substr(label.size());
  }
  return std::nullopt;
}

void write_new_file(const std::filesystem::path& file, const std::string& text, mode_t mode) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (descriptor < 0)
    throw Error(file.string() + ": " +
                (errno == EEXIST ? "is there already; keys are never replaced" : std::strerror(errno)));
  const bool written = ::fchmod(descriptor, mode) == 0 &&
                       ::write(descriptor, text.data(), text.size()) == ssize_t(text.size()) &&
                       ::fsync(descriptor) == 0;
  const int why = errno;
  ::close(descriptor);
  if (!written) throw Error(file.string() + ": cannot be written: " + std::strerror(why));
}

}  // namespace

KeyPair new_keys() {
  std::array<char, kKeyDigits + 1> public_key{}, secret_key{};
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0)
    throw Error("this libzmq has no CURVE, so there can be no keys");
  return {.public_key = public_key.data(), .secret_key = secret_key.data()};
}

void write_keys(const std::filesystem::path& folder, const std::string& name, const KeyPair& keys) {
  write_new_file(folder / (name + ".key"),
                 "# CurveZMQ keys of " + name + ". The secret key stays on this machine.\n" +
                     std::string(kPublic) + keys.public_key + "\n" + std::string(kSecret) + keys.secret_key +
                     "\n",
                 0600);
  write_new_file(folder / (name + ".pub"),
                 "# CurveZMQ public key of " + name + ".\n" + std::string(kPublic) + keys.public_key + "\n",
                 0644);
}

KeyPair read_key_file(const std::filesystem::path& file) {
  const std::string text = read_text_file(file, kMaxKeyFileBytes);
  const auto public_key = key_after(kPublic, text), secret_key = key_after(kSecret, text);
  if (!public_key || !secret_key)
    throw Error(file.string() + ": has no pair of keys; `palisade keys new NAME` makes NAME.key");
  struct stat status {};
  if (::stat(file.c_str(), &status) == 0 && (status.st_mode & 077) != 0)
    throw Error(file.string() + ": others may read its secret key; chmod 600 it, or make a new one");
  hide_secret(*secret_key);
  return {.public_key = *public_key, .secret_key = *secret_key};
}

std::string read_public_key(const std::filesystem::path& file) {
  const auto key = key_after(kPublic, read_text_file(file, kMaxKeyFileBytes));
  if (!key) throw Error(file.string() + ": has no public key; `palisade keys new NAME` makes NAME.pub");
  return *key;
}

Clients read_clients(const std::filesystem::path& file) {
  std::istringstream lines(read_text_file(file, kMaxClientsBytes));
  Clients clients;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::istringstream words(line.substr(0, line.find(" #")));
    std::string name, key, more;
    if (!(words >> name) || name.starts_with('#')) continue;
    if (!(words >> key) || (words >> more) || !is_key(key))
      throw Error(format("{}:{}: a line is NAME KEY, the key as NAME.pub has it", file.string(), number));
    clients[key] = name;
  }
  return clients;
}

void encrypt_service(zmq::socket_t& socket, const KeyPair& keys) {
  socket.set(zmq::sockopt::curve_server, true);
  socket.set(zmq::sockopt::curve_secretkey, keys.secret_key);
  socket.set(zmq::sockopt::zap_domain, "palisade");
}

void encrypt_client(zmq::socket_t& socket, const ClientKeys& keys) {
  socket.set(zmq::sockopt::curve_serverkey, keys.service);
  socket.set(zmq::sockopt::curve_publickey, keys.own.public_key);
  socket.set(zmq::sockopt::curve_secretkey, keys.own.secret_key);
}

struct ZapDoor::State {
  State(zmq::context_t& context, std::string its_name, Clients its_clients)
      : name(std::move(its_name)), socket(context, zmq::socket_type::rep), clients(std::move(its_clients)) {
    socket.set(zmq::sockopt::linger, 0);
    socket.bind(kZapAddress);
  }
  // The client's name, or nothing.
  std::optional<std::string> known(const std::string& key) {
    const std::lock_guard lock(mutex);
    const auto found = clients.find(key);
    return found == clients.end() ? std::nullopt : std::optional(found->second);
  }

  const std::string name;
  zmq::socket_t socket;
  OncePerSecond refused;
  std::mutex mutex;
  Clients clients;  // guarded by mutex
};

ZapDoor::ZapDoor(zmq::context_t& context, std::string name, Clients clients)
    : state_(std::make_unique<State>(context, std::move(name), std::move(clients))) {}
ZapDoor::~ZapDoor() = default;

zmq::socket_t& ZapDoor::socket() {
  return state_->socket;
}

bool ZapDoor::allow(Clients clients) {
  const std::lock_guard lock(state_->mutex);
  const bool gone =
      std::ranges::any_of(state_->clients, [&](const auto& one) { return !clients.contains(one.first); });
  state_->clients = std::move(clients);
  return gone;
}

// A request is version, request id, domain, address, identity, mechanism and the client's key in 32 bytes.
void ZapDoor::answer() {
  while (true) {
    std::vector<std::string> request;
    zmq::message_t part;
    do {
      if (!state_->socket.recv(part, zmq::recv_flags::dontwait)) return;
      request.push_back(part.to_string());
    } while (part.more());
    std::optional<std::string> client;
    if (request.size() == 7 && request[5] == "CURVE" && request[6].size() == kKeyBytes) {
      std::array<char, kKeyDigits + 1> key{};
      zmq_z85_encode(key.data(), reinterpret_cast<const std::uint8_t*>(request[6].data()), kKeyBytes);
      client = state_->known(key.data());
    }
    if (!client) {
      if (const auto count = state_->refused.count(1, std::chrono::steady_clock::now()))
        log_warning(state_->name + ": refused a client whose key is not among `clients`" +
                    (*count > 1 ? format("; {} others before it", *count - 1) : ""));
    }
    const std::array<std::string, 6> reply{"1.0",
                                           request.size() > 1 ? request[1] : "",
                                           client ? "200" : "400",
                                           client ? "OK" : "unknown key",
                                           client.value_or(""),
                                           ""};
    for (std::size_t i = 0; i < reply.size(); ++i)
      state_->socket.send(zmq::buffer(reply[i]),
                          i + 1 < reply.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
  }
}

}  // namespace palisade
