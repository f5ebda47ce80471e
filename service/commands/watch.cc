#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <zmq.hpp>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "service/commands/client_keys_flag.h"
#include "service/commands/command.h"
#include "service/endpoints/endpoint.h"
#include "service/events/event_line.h"
#include "service/events/event_tracker.h"
#include "service/terminal/interrupt.h"
#include "service/terminal/output.h"
#include "service/zeromq/peer_guard.h"
#include "service/zeromq/replay.h"
#include "tasks/events/event.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view kAllTopics = "palisade/v1/";
constexpr milliseconds kTurn{200};
constexpr milliseconds kSilence{6000};  // three heartbeats

struct WatchOptions {
  std::string endpoint = local_endpoint("events");
  std::vector<std::string> prefixes;
  std::uint64_t count = 0;
  bool json = false;
  bool fill = false;
  std::string replay = local_endpoint("replay");
  ClientKeyFlags key_files;
  std::optional<ClientKeys> keys;
};

bool begins_with_any(std::string_view topic, const std::vector<std::string>& prefixes) {
  return std::ranges::any_of(prefixes, [&](const std::string& prefix) { return topic.starts_with(prefix); });
}

// A SUB socket behind its guard. Heartbeats are always subscribed to: without them a quiet street looks like
// a dead service.
class Subscription {
 public:
  explicit Subscription(const WatchOptions& options)
      : context_(PeerGuard::context()), socket_(context_, zmq::socket_type::sub) {
    if (options.keys) encrypt_client(socket_, *options.keys);
    socket_.set(zmq::sockopt::maxmsgsize, std::int64_t(2 * kMaxEventBytes));
    socket_.set(zmq::sockopt::linger, 0);
    for (const std::string& prefix : options.prefixes) socket_.set(zmq::sockopt::subscribe, prefix);
    socket_.set(zmq::sockopt::subscribe, std::string(kHeartbeatTopic));
    guard_.emplace(PeerGuard::connect(
        socket_, options.endpoint,
        {.name = options.endpoint,
         .peer_types = {"PUB", "XPUB"},
         .message = {
             .message_bytes = 2 * kMaxEventBytes, .parts = 2, .encrypted = options.keys.has_value()}}));
  }
  zmq::socket_t& socket() { return socket_; }

 private:
  std::optional<PeerGuard> guard_;  // destroyed after the socket
  zmq::context_t context_;
  zmq::socket_t socket_;
};

// One subscription: prints events and reports losses and silence.
class Watch {
 public:
  explicit Watch(const WatchOptions& options)
      : options_(options),
        tracker_([&](std::string_view topic) { return begins_with_any(topic, options_.prefixes); }),
        subscription_(options) {}

  int run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      zmq::pollitem_t item{subscription_.socket().handle(), 0, ZMQ_POLLIN, 0};
      zmq::poll(&item, 1, kTurn);
      while (!stop.stop_requested() && receive()) {
        if (options_.count > 0 && printed_ >= options_.count) return kDone;
      }
      note_silence();
    }
    return kDone;
  }

 private:
  bool receive() {
    zmq::message_t topic, text;
    if (!subscription_.socket().recv(topic, zmq::recv_flags::dontwait)) return false;
    if (topic.more() && subscription_.socket().recv(text) && !text.more()) {
      see(topic.to_string(), text.to_string());
    } else {
      complain("a message that is no event came from " + options_.endpoint);
    }
    return true;
  }

  // Reports at most once a second, because a faulty service may send faults without end.
  void complain(const std::string& what) {
    const auto count = complaints_.count(1, steady_clock::now());
    if (count) log_warning(what + (*count > 1 ? format(" ({} such)", *count) : ""));
  }

  void see(const std::string& topic, const std::string& text) {
    if (topic == kHeartbeatTopic) {
      if (silent_) log_info("heartbeats are back");
      last_heartbeat_ = steady_clock::now();
      silent_ = false;
    }
    Json event;
    try {
      event = parse_json(text, topic);
    } catch (const Error& error) {
      complain(error.what());
      return;
    }
    const EventTracker::Observation seen = tracker_.see(topic, event);
    for (const auto& [lost_topic, events] : seen.losses) {
      log_warning(format("lost {}{}{}", events, events == 1 ? " event of " : " events of ", lost_topic));
    }
    if (seen.repeat || !wanted(topic)) return;
    // Serialised again, so that an event is one line whatever white space its publisher used.
    print_line(options_.json ? event.dump(-1, ' ', false, Json::error_handler_t::replace)
                             : event_line(topic, event));
    ++printed_;
  }

  // Heartbeats are printed only where the user subscribed to them alone.
  bool wanted(const std::string& topic) const {
    if (topic != kHeartbeatTopic || options_.json) return begins_with_any(topic, options_.prefixes);
    return std::ranges::any_of(options_.prefixes, [](const std::string& prefix) {
      return prefix.size() > kAllTopics.size() && kHeartbeatTopic.starts_with(prefix);
    });
  }

  void note_silence() {
    if (silent_ || steady_clock::now() - last_heartbeat_ < kSilence) return;
    silent_ = true;
    log_warning("no heartbeat from " + options_.endpoint +
                " for 6 s: the service is not running or not reached");
  }

  const WatchOptions& options_;
  EventTracker tracker_;
  Subscription subscription_;
  OncePerSecond complaints_;
  steady_clock::time_point last_heartbeat_ = steady_clock::now();
  bool silent_ = false;
  std::uint64_t printed_ = 0;
};

// Prints what the journal stores, from now on and without a gap, whatever becomes of connection, service and
// this process: the subscription only says when there is something to ask for.
class WatchFilled {
 public:
  explicit WatchFilled(const WatchOptions& options)
      : options_(options), client_(options.replay, options.keys), subscription_(options) {}

  int run(const std::stop_token& stop) {
    while (!stop.stop_requested() && !done()) {
      if (position_ < 0) {
        position_ = asked(R"({"position": "end"})").position;
      } else {
        fill(stop);
      }
      wait();
    }
    return kDone;
  }

 private:
  bool done() const { return options_.count > 0 && printed_ >= options_.count; }

  // An answer without a position where nobody answers; that is told once.
  ReplayAnswer asked(const std::string& request) {
    try {
      ReplayAnswer answer = client_.ask(request, kPatience);
      if (std::exchange(unanswered_, false)) log_info(options_.replay + " answers again");
      return answer;
    } catch (const Unavailable& error) {
      if (!std::exchange(unanswered_, true)) log_warning(error.what());
      return {.position = -1};
    }
  }

  void fill(const std::stop_token& stop) {
    for (bool more = true; more && !stop.stop_requested() && !done();) {
      const ReplayAnswer answer = asked(Json{{"position", position_}}.dump());
      if (answer.position < 0) return;
      for (const auto& [topic, body] : answer.events) {
        if (!begins_with_any(topic, options_.prefixes) || done()) continue;
        print_line(options_.json ? body : event_line(topic, parse_json(body, topic)));
        ++printed_;
      }
      position_ = answer.position;
      more = answer.more;
    }
  }

  // Until an event comes, or for a moment where none does: what could not be stored at once comes later.
  void wait() {
    zmq::pollitem_t item{subscription_.socket().handle(), 0, ZMQ_POLLIN, 0};
    zmq::poll(&item, 1, kTurn);
    zmq::message_t part;
    while (subscription_.socket().recv(part, zmq::recv_flags::dontwait)) {
    }
  }

  static constexpr milliseconds kPatience{5000};

  const WatchOptions& options_;
  ReplayClient client_;
  Subscription subscription_;
  std::int64_t position_ = -1;  // of the journal; below 0: not known yet
  bool unanswered_ = false;
  std::uint64_t printed_ = 0;
};

int watch(WatchOptions options) {
  if (options.prefixes.empty()) options.prefixes.emplace_back(kAllTopics);
  options.keys = client_keys_of(options.key_files);
  const Interrupt interrupt;
  if (options.fill) return WatchFilled(options).run(interrupt.token());
  return Watch(options).run(interrupt.token());
}

}  // namespace

void add_watch(CLI::App& app, Run& run) {
  CLI::App* const command =
      app.add_subcommand("watch", "Subscribe to a service and print its events as they come");
  const auto options = std::make_shared<WatchOptions>();
  command->add_option("TOPIC", options->prefixes, "Prefixes of topics; default: palisade/v1/");
  command->add_option("--subscribe", options->endpoint, "ZeroMQ endpoint of the service")
      ->envname("PALISADE_SUBSCRIBE")
      ->type_name("ENDPOINT")
      ->capture_default_str();
  command->add_option("--count", options->count, "Number of events to end after; default: no end");
  command->add_flag("--json", options->json, "Print each event as one JSON line");
  command->add_flag("--fill", options->fill,
                    "Print what the journal stores: nothing is missed, whatever becomes of the connection");
  command
      ->add_option("--replay", options->replay,
                   "With --fill: ZeroMQ endpoint named by `replay:` of the service")
      ->envname("PALISADE_REPLAY")
      ->type_name("ENDPOINT")
      ->capture_default_str();
  add_client_key_flags(*command, options->key_files);
  command->footer(
      "\nExamples:\n"
      "  palisade watch\n"
      "  palisade watch --fill --json\n"
      "  palisade watch palisade/v1/front_door/ --json\n"
      "  palisade watch palisade/v1/front_door/caption --count 1\n"
      "\nLost events and a service that falls silent are told on stderr.");
  command->callback([&run, options] { run = [options] { return watch(*options); }; });
}

}  // namespace palisade
