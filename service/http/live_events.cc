#include "service/http/live_events.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "service/http/exchange.h"
#include "service/journal/event_query.h"

namespace palisade {
namespace {

using std::chrono::steady_clock;

// A number that every reader of JSON holds exactly.
constexpr std::int64_t kMaxLivePosition = (std::int64_t(1) << 53) - 1;
constexpr std::chrono::milliseconds kBetweenReads{200};
constexpr std::chrono::seconds kBetweenPings{10};
constexpr std::size_t kPageOfLive = 500, kMaxListeners = 128;

std::string event_text(const StoredEvent& event, const std::string& type) {
  return format("id: {}\nevent: {}\ndata: {}\n\n", event.position, type, event.body);
}

}  // namespace

struct LiveEvents::State {
  struct Listener {
    std::shared_ptr<HttpExchange> exchange;
    std::string prefix;
    std::int64_t position = -1;  // of the last event it has; -1: from now on
    steady_clock::time_point told = steady_clock::now();
  };

  explicit State(HttpBackend& its_backend) : backend(its_backend) {}

  void listen(const std::shared_ptr<HttpExchange>& exchange);
  void run(const std::stop_token& stop);
  void read(EventQuery& query, std::vector<Listener>& all);
  static bool send(Listener& listener, const StoredEvent& event, const std::string& stream,
                   const std::string& type);

  HttpBackend& backend;
  std::mutex mutex;
  std::condition_variable_any changed;
  std::vector<Listener> arriving;  // guarded by mutex
  std::size_t listening = 0;       // guarded by mutex
  std::jthread thread;
};

void LiveEvents::State::listen(const std::shared_ptr<HttpExchange>& exchange) {
  if (!backend.journal())
    return exchange->fail(
        {.status = 503,
         .message = "this service keeps no journal (journal: off), which live events are read from",
         .code = "unavailable"});
  Listener listener{.exchange = exchange, .prefix = exchange->request().asked("prefix").value_or("")};
  // A browser that comes back says by the header where it was; it counts before the query.
  for (const std::string& after :
       {exchange->request().asked("after").value_or(""), exchange->request().header("last-event-id")}) {
    if (after.empty()) continue;
    const auto [end, error] = std::from_chars(after.data(), after.data() + after.size(), listener.position);
    if (error != std::errc() || end != after.data() + after.size() || listener.position < 0 ||
        listener.position > kMaxLivePosition)
      return exchange->fail({.status = 400,
                             .message = "a position is a number, as `id:` of an event has it",
                             .code = "invalid_request",
                             .param = "after"});
  }
  {
    const std::lock_guard lock(mutex);
    if (listening + arriving.size() >= kMaxListeners)
      return exchange->fail({.status = 429, .message = "too many listen already", .code = "too_many"});
    exchange->begin({.type = "text/event-stream", .headers = {{"X-Accel-Buffering", "no"}}});
    exchange->send(": events follow\n\n");
    arriving.push_back(std::move(listener));
  }
  changed.notify_one();
}

bool LiveEvents::State::send(Listener& listener, const StoredEvent& event, const std::string& stream,
                             const std::string& type) {
  if (event.position <= listener.position) return true;
  listener.position = event.position;
  if (!event.topic.starts_with(listener.prefix) || !listener.exchange->holder().may_see(stream)) return true;
  listener.told = steady_clock::now();
  return listener.exchange->send(event_text(event, type));
}

// What was stored since the last of them has been told.
void LiveEvents::State::read(EventQuery& query, std::vector<Listener>& all) {
  const std::int64_t newest = query.last_position();
  for (Listener& listener : all) {
    if (listener.position < 0) listener.position = newest;
  }
  const auto last = std::ranges::min_element(all, {}, &Listener::position);
  if (last == all.end() || last->position >= newest) return;
  const std::vector<StoredEvent> page = query.find({.after = last->position, .limit = kPageOfLive});
  for (const StoredEvent& event : page) {
    const Json json = parse_json(event.body, event.topic);
    const std::string stream = json.value("subject", ""), type = json.value("type", "");
    std::erase_if(all, [&](Listener& listener) { return !send(listener, event, stream, type); });
  }
}

void LiveEvents::State::run(const std::stop_token& stop) {
  std::vector<Listener> all;
  std::optional<EventQuery> query;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex);
      if (all.empty()) {
        changed.wait(lock, stop, [this] { return !arriving.empty(); });
      } else {
        changed.wait_for(lock, stop, kBetweenReads, [] { return false; });
      }
      std::ranges::move(arriving, std::back_inserter(all));
      arriving.clear();
      listening = all.size();
    }
    try {
      if (!query && !all.empty()) query.emplace(*backend.journal());
      if (query) read(*query, all);
    } catch (const Error& error) {
      log_warning(format("http: live events: {}", error.what()));
      query.reset();
    }
    const auto now = steady_clock::now();
    std::erase_if(all, [&](Listener& listener) {
      if (listener.exchange->gone()) return true;
      if (now - listener.told < kBetweenPings) return false;
      listener.told = now;
      return !listener.exchange->send(": still here\n\n");
    });
    if (all.empty()) query.reset();
  }
  for (Listener& listener : all) listener.exchange->end();
}

LiveEvents::LiveEvents(HttpBackend& backend) : state_(std::make_unique<State>(backend)) {
  state_->thread = std::jthread([state = state_.get()](const std::stop_token& stop) { state->run(stop); });
}
LiveEvents::~LiveEvents() {
  state_->thread.request_stop();
  state_->thread.join();
}

void LiveEvents::add_route(HttpRouter& router) {
  router.add({.pattern = "/api/v1/live",
              .scope = HttpScope::kView,
              .handler = [state = state_.get()](const auto& exchange) { state->listen(exchange); }});
}

}  // namespace palisade
