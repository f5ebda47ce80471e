#include "service/service.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <future>

#include "base/format.h"
#include "base/log.h"
#include "tests/service/fake_source.h"
#include "tests/service/stub_model.h"
#include "tests/service/subscriber.h"
#include "tests/tasks/schema.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

Settings settings_of(const std::string& streams) {
  log_from(LogLevel::kError);
  Settings settings = parse_settings(streams, "test.yaml");
  settings.publish = "tcp://127.0.0.1:*";
  settings.journal.on = false;
  return settings;
}

const std::string kTwoTasks = R"(streams:
  - name: front_door
    url: street.mp4
    pace: false
    tasks:
      - {task: caption, frames: 16, span: 3s, every: 3s}
      - {task: question, name: moves, question: "what moves?", frames: 16, span: 3s, every: 3s}
      - {task: question, name: cars, question: "how many cars?", frames: 1, every: 4s}
)";

Feed::Open frames(int count, bool live = false, bool freezes = false) {
  return [=](const SourceOptions&, std::stop_token stop) {
    return std::make_unique<FakeSource>(count, live, freezes, std::move(stop));
  };
}

// Lets sources wait until the subscriber receives events.
Feed::Open once_heard(Feed::Open open, std::shared_future<void> heard) {
  return [=](const SourceOptions& options, std::stop_token stop) {
    heard.wait();
    return open(options, std::move(stop));
  };
}

}  // namespace

TEST_CASE("a stream's clips become valid answer events, and the service ends when its files have") {
  StubModel model;
  Service service(settings_of(kTwoTasks), model);
  Subscriber subscriber(service.endpoint(), {"palisade/v1/"});
  std::promise<void> heard;
  auto run = std::async(std::launch::async, [&] {
    return service.run({}, true, once_heard(frames(36), heard.get_future().share()));
  });
  CHECK(subscriber.next_of("palisade/v1/front_door/state")["data"]["state"] == "connecting");
  heard.set_value();
  CHECK(run.get() == Service::End::kAllEnded);
  CHECK(service.stop());
  std::map<std::string, Json> events;
  for (std::string topic; topic != kHeartbeatTopic || events[topic]["data"]["sequences"].size() < 4;) {
    auto [seen, event] = subscriber.next();
    const std::string type = event["type"];
    const std::string schema = type.substr(9, type.find('.', 9) - 9);
    for (const std::string& fault : schema_faults(schema, event)) FAIL_CHECK(topic << fault);
    events[topic = seen] = event;
  }
  const Json& caption = events["palisade/v1/front_door/caption"];
  CHECK(caption["data"]["text"] == "said: caption en");
  CHECK(caption["data"]["frames"].size() == 16);
  CHECK(caption["data"]["frames"][15]["pts_ms"] == 3000);
  CHECK(caption["time"] == caption["data"]["frames"][15]["time"]);
  CHECK(caption["data"]["window"]["tokens_kept"] == 64);
  CHECK(caption["source"] == "palisade://node-1/streams/front_door");
  CHECK(events["palisade/v1/front_door/moves"]["data"]["prompt"] == "answer en what moves?");
  CHECK(events["palisade/v1/front_door/cars"]["data"]["frames"].size() == 1);
  CHECK(events["palisade/v1/front_door/state"]["data"]["state"] == "ended");
  CHECK(events[std::string(kHeartbeatTopic)]["data"]["streams"]["front_door"]["frames"] == 36);
  // Two tasks share a window, whose sixteen pictures are encoded once.
  CHECK(model.encoded <= 16 + 1);
}

TEST_CASE("clips that the model has no time for are counted in the next event and the heartbeat") {
  StubModel model;
  std::promise<void> all_read;
  model.on_answer = [&, read = all_read.get_future().share()](const std::string&, const DecodingOptions&) {
    read.wait();
  };
  Service service(settings_of(R"(streams:
  - name: front_door
    url: street.mp4
    pace: false
    degrade: false
    tasks: [{task: caption, frames: 1, every: 1s}]
)"),
                  model);
  Subscriber subscriber(service.endpoint(), {"palisade/v1/"});
  auto run = std::async(std::launch::async, [&] { return service.run({}, true, frames(100)); });
  while (subscriber.next_of("palisade/v1/front_door/state")["data"]["state"] != "ended") {
  }
  all_read.set_value();
  CHECK(run.get() == Service::End::kAllEnded);
  CHECK(service.stop());
  std::uint64_t answered = 0, dropped = 0;
  Json heartbeat;
  while (heartbeat.is_null() || heartbeat["data"]["streams"].empty() ||
         heartbeat["data"]["streams"]["front_door"]["answered"] == 0) {
    const auto [topic, event] = subscriber.next();
    if (topic == kHeartbeatTopic) heartbeat = event;
    if (topic != "palisade/v1/front_door/caption") continue;
    ++answered;
    dropped += event["data"]["dropped_before"].get<std::uint64_t>();
  }
  CHECK(answered + dropped == 10);
  CHECK(dropped >= 10 - 2 - 4);  // two wait in the lane, and the engine takes up to four together
  CHECK(heartbeat["data"]["streams"]["front_door"]["dropped"] == dropped);
}

TEST_CASE("what fails is counted in the next event of its task, and the others go on") {
  StubModel model;
  std::atomic<int> captions{0};
  model.on_answer = [&](const std::string& prompt, const DecodingOptions&) {
    if (prompt == "caption en" && ++captions == 1) throw std::runtime_error("logits are not finite");
  };
  Service service(settings_of(R"(streams:
  - name: front_door
    url: street.mp4
    pace: false
    tasks:
      - {task: caption, frames: 1, every: 1s}
      - {task: question, question: "why?", frames: 1, every: 1s}
)"),
                  model);
  Subscriber subscriber(service.endpoint(), {"palisade/v1/front_door/"});
  std::promise<void> heard;
  auto run = std::async(std::launch::async, [&] {
    return service.run({}, true, once_heard(frames(20), heard.get_future().share()));
  });
  subscriber.next_of("palisade/v1/front_door/state");
  heard.set_value();
  CHECK(run.get() == Service::End::kAllEnded);
  CHECK(subscriber.next_of("palisade/v1/front_door/question")["data"]["dropped_before"] == 0);
  CHECK(subscriber.next_of("palisade/v1/front_door/caption")["data"]["dropped_before"] == 1);
}

TEST_CASE("a stop ends frozen cameras and an answer that is being given") {
  StubModel model;
  std::promise<void> answering;
  std::atomic<bool> told{false};
  model.tokens_of = [](const std::string&) { return 1'000'000'000; };
  model.on_answer = [&](const std::string&, const DecodingOptions&) {
    if (!told.exchange(true)) answering.set_value();
  };
  std::string streams = "streams:\n";
  for (int i = 0; i < 4; ++i) {
    streams +=
        format("  - {{name: cam_{}, url: 'rtsp://camera/x', tasks: [{{task: caption, frames: 1}}]}}\n", i);
  }
  Service service(settings_of(streams), model);
  std::stop_source stop;
  auto run = std::async(std::launch::async,
                        [&] { return service.run(stop.get_token(), false, frames(1, true, true)); });
  answering.get_future().wait();
  stop.request_stop();
  CHECK(run.get() == Service::End::kStopped);
  CHECK(service.stop());
}

TEST_CASE("a file that cannot be read is told, and the service's end says so") {
  StubModel model;
  Service service(settings_of(kTwoTasks), model);
  Subscriber subscriber(service.endpoint(), {"palisade/v1/front_door/state"});
  const Feed::Open open = [](const SourceOptions&, std::stop_token) -> std::unique_ptr<Source> {
    throw SourceError(SourceFault::kUnreadable, "street.mp4: no video");
  };
  CHECK(service.run({}, true, open) == Service::End::kSomeUnreadable);
  Json state;
  do state = subscriber.next_of("palisade/v1/front_door/state");
  while (state["data"]["state"] != "ended");
  CHECK(state["data"]["reason"] == "street.mp4: no video");
  CHECK(schema_faults("state", state).empty());
}

TEST_CASE("a password is in no event") {
  StubModel model;
  Settings settings = settings_of(R"(streams:
  - name: front_door
    url: 'rtsp://u:CANARY-1@camera/x'
    username: admin
    password: CANARY-2
    tasks: [{task: caption}]
)");
  hide_secret(settings.streams[0].source.password);
  Service service(settings, model);
  Subscriber subscriber(service.endpoint(), {""});
  const Feed::Open open = [](const SourceOptions& options, std::stop_token) -> std::unique_ptr<Source> {
    throw SourceError(SourceFault::kAuthFailed, "refused: " + options.url + " " + options.password);
  };
  std::stop_source stop;
  auto run = std::async(std::launch::async, [&] { return service.run(stop.get_token(), false, open); });
  Json state;
  do {
    state = subscriber.next_of("palisade/v1/front_door/state");
    CHECK(state.dump().find("CANARY") == std::string::npos);
  } while (state["data"]["state"] != "auth_failed");
  stop.request_stop();
  run.get();
}

TEST_CASE("a reload begins and ends streams, and those that stay do not notice") {
  StubModel model;
  const auto stream = [](const std::string& name, const std::string& every) {
    return "  - {name: " + name + ", url: " + name +
           ".mp4, pace: false, stall_timeout: 1h, tasks: [{task: caption, frames: 1, every: " + every +
           "}]}\n";
  };
  // A reload may end a stream even before it has opened its source. So each reload here waits until the
  // streams of the one before have begun.
  using Counts = std::map<std::string, int>;
  std::mutex mutex;
  std::condition_variable changed;
  Counts opened;
  const Feed::Open open = [&](const SourceOptions& options, std::stop_token stop) {
    const std::lock_guard lock(mutex);
    ++opened[options.url];
    changed.notify_all();
    return std::make_unique<FakeSource>(36, true, true, std::move(stop));
  };
  const auto opened_are = [&](const Counts& wanted) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::seconds(60), [&] { return opened == wanted; });
    CHECK(Json(opened) == Json(wanted));  // Json prints itself
  };
  Service service(
      settings_of("streams:\n" + stream("stays", "1s") + stream("changes", "1s") + stream("leaves", "1s")),
      model);
  Subscriber subscriber(service.endpoint(), {"palisade/v1/"});
  std::stop_source stop;
  auto run = std::async(std::launch::async, [&] { return service.run(stop.get_token(), false, open); });
  const auto state_of = [&](const std::string& name, const std::string& state) {
    while (subscriber.next_of("palisade/v1/" + name + "/state")["data"]["state"] != state) {
    }
  };
  opened_are({{"stays.mp4", 1}, {"changes.mp4", 1}, {"leaves.mp4", 1}});
  state_of("leaves", "online");
  service.reload(
      settings_of("streams:\n" + stream("stays", "1s") + stream("changes", "2s") + stream("comes", "1s")));
  opened_are({{"stays.mp4", 1}, {"changes.mp4", 2}, {"leaves.mp4", 1}, {"comes.mp4", 1}});
  state_of("comes", "online");
  // Settings that need a restart are refused completely.
  Settings refused = settings_of("streams:\n" + stream("other", "1s"));
  refused.engine.max_new_tokens = 7;
  service.reload(refused);
  service.reload(settings_of("streams:\n" + stream("stays", "1s") + stream("last", "1s")));
  const Counts all{
      {"stays.mp4", 1}, {"changes.mp4", 2}, {"leaves.mp4", 1}, {"comes.mp4", 1}, {"last.mp4", 1}};
  opened_are(all);
  state_of("last", "online");
  stop.request_stop();
  CHECK(run.get() == Service::End::kStopped);
  CHECK(service.stop());
  opened_are(all);
}
