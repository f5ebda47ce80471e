#include "service/zeromq/guarded_socket.h"

#include <sys/eventfd.h>

#include <mutex>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "service/endpoints/endpoint.h"

namespace palisade {
namespace {

zmq::socket_t configured_socket(zmq::context_t& context, const GuardedSocketOptions& options) {
  zmq::socket_t socket(context, zmq::socket_type(options.type));
  if (options.keys) encrypt_service(socket, options.keys->own);
  options.configure(socket);
  return socket;
}

PeerGuard guard_of(zmq::socket_t& socket, const GuardedSocketOptions& options) {
  PeerRules rules = options.rules;
  rules.message.encrypted = options.keys.has_value();
  return PeerGuard::bind(socket, options.endpoint, options.setting, std::move(rules));
}

}  // namespace

struct GuardedSocket::State {
  explicit State(const GuardedSocketOptions& options)
      : context(PeerGuard::context()),
        door(options.keys ? std::make_unique<ZapDoor>(context, options.rules.name, options.keys->clients)
                          : nullptr),
        socket(configured_socket(context, options)),
        peer_guard(guard_of(socket, options)),
        endpoint(peer_guard->endpoint()),
        wake(wake_descriptor()) {}

  zmq::context_t context;
  std::unique_ptr<ZapDoor> door;  // null without keys
  zmq::socket_t socket;
  std::mutex guarding;
  std::optional<PeerGuard> peer_guard;  // guarded by `guarding`: ended by one thread, asked by others
  const std::string endpoint;
  const Descriptor wake;
};

GuardedSocket::GuardedSocket(const GuardedSocketOptions& options)
    : state_(std::make_unique<State>(options)) {}

GuardedSocket::~GuardedSocket() {
  close();
}

zmq::socket_t& GuardedSocket::socket() {
  return state_->socket;
}

void GuardedSocket::wait(std::chrono::milliseconds longest) {
  std::vector<zmq::pollitem_t> items{{state_->socket.handle(), 0, ZMQ_POLLIN, 0},
                                     {nullptr, state_->wake.number(), ZMQ_POLLIN, 0}};
  if (state_->door) items.push_back({state_->door->socket().handle(), 0, ZMQ_POLLIN, 0});
  zmq::poll(items, longest);
  eventfd_t rung = 0;
  eventfd_read(state_->wake.number(), &rung);
  if (state_->door) state_->door->answer();
}

void GuardedSocket::close() {
  state_->socket.close();
  {
    const std::lock_guard lock(state_->guarding);
    state_->door.reset();
  }
  state_->context.close();
  const std::lock_guard lock(state_->guarding);
  state_->peer_guard.reset();
}

void GuardedSocket::ring() const {
  eventfd_write(state_->wake.number(), 1);
}

void GuardedSocket::allow(Clients clients) {
  const std::lock_guard lock(state_->guarding);
  if (state_->door && state_->door->allow(std::move(clients)) && state_->peer_guard)
    state_->peer_guard->cut_off_all();
}

const std::string& GuardedSocket::endpoint() const {
  return state_->endpoint;
}

}  // namespace palisade
