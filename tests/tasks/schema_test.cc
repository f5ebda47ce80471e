#include <doctest/doctest.h>

#include "tasks/events/answer_event.h"
#include "tasks/events/event.h"
#include "tasks/events/state_event.h"
#include "tests/tasks/schema.h"

using namespace palisade;

namespace {

const std::string kHash(64, 'a');

// The example of the event format's description; its ellipses stand for hashes.
Json documented_example() {
  std::string text = R"({"specversion": "1.0", "id": "01KAV3Q7W6E5N1Y3ZC8TQ0F4HM",
 "source": "palisade://node-1/streams/front_door",
 "type": "palisade.answer.v1", "subject": "front_door", "time": "2026-11-23T09:05:24.123Z",
 "datacontenttype": "application/json", "dataschema": "palisade:/schema/answer.v1.json", "sequence": "000000000412",
 "data": {
   "task": "caption", "prompt": "caption en", "text": "a red car drives from left to right",
   "finish_reason": "stop", "token_ids": [877, 587, 648], "logprob": -1.93,
   "choices": [{"text": "yes", "p": 0.93}, {"text": "no", "p": 0.07}],
   "boxes": [{"label": "car", "box": [0.12, 0.40, 0.31, 0.66], "pixels": [77, 144, 198, 238]}],
   "frames": [{"stream": "front_door", "number": 1840, "pts_ms": 184000, "time": "2026-11-23T09:05:19.900Z",
               "time_source": "rtcp", "time_uncertainty_ms": 8, "sha256": "...", "corrupt": false}],
   "window": {"policy": "uniform", "count": 16, "span_ms": 4000, "degraded_from": null, "tokens_kept": 4096},
   "model": {"id": "paligemma-3b-mix-224", "sha256": "...", "precision": "int8", "resize": "hf-bicubic"},
   "unchanged_since": null, "dropped_before": 0,
   "timing_ms": {"wait": 12, "encode": 251, "prefill": 2210, "decode": 640, "total": 3113}}})";
  for (std::size_t at; (at = text.find("...")) != std::string::npos;) text.replace(at, 3, kHash);
  return parse_json(text, "the documented example");
}

Clip sixteen_frames() {
  Clip clip;
  for (int i = 0; i < 16; ++i) {
    Frame frame;
    frame.stream = "front_door";
    frame.stamp.number = std::uint64_t(i) * 3;
    frame.stamp.pts = std::chrono::milliseconds(267 * i);
    frame.stamp.wall = WallTime(std::chrono::microseconds(1'795'424'719'900'000 + 267'000 * i));
    frame.stamp.time_source = TimeSource(i % 3);
    clip.frames.push_back(frame);
  }
  return clip;
}

// With every field that an answer can have, but for unchanged_since, which goes instead of an answer.
AnswerEvent full_answer() {
  AnswerEvent answer{.task = "caption", .prompt = "caption en", .text = "a red car", .finish_reason = "stop"};
  answer.token_ids = {877, 587, 1};
  answer.logprob = -1.93;
  answer.token_logprobs = {-1, -0.9, -0.03};
  answer.choices = {{.text = "yes", .p = 0.75, .logprob = -2, .calibrated = 0.7},
                    {.text = "no", .p = 0.25, .logprob = {}, .calibrated = {}}};
  answer.curve = CurveEvidence{.id = "0123456789abcdef", .prompt = "answer en x", .task = "question"};
  answer.top_tokens = {{{.token = 877, .text = "a", .logprob = -1}}, {}, {}};
  answer.decoding = DecodingEvidence{.method = Greedy{}, .max_new_tokens = 64};
  answer.name = "gate";
  answer.skipped_before = 3;
  answer.frames_stored = "exact";
  answer.view = ViewEvidence{.sha256 = kHash, .width = 640, .height = 360};
  answer.redacted = {"plate"};
  answer.boxes = {{.label = "car", .box = {0.1, 0.2, 0.3, 0.4}, .pixels = {1, 2, 3, 4}},
                  {.label = "",
                   .box = {0, 0, 1, 1},
                   .pixels = {0, 0, 640, 360},
                   .confidence = 0.5,
                   .spread = {{0, 0.1, 0.2, 0.3}},
                   .mask = Mask{.width = 640, .height = 360, .box = {1, 2, 2, 3}, .inside = {1}},
                   .mask_picture = kHash + ".png"}};
  answer.answer_type = "count";
  answer.value = 3;
  answer.passes = {.prefill = 1};
  answer.malformed = {{.text = "<loc0001> car", .reason = "has 1 locations, not 4"}};
  answer.frames = frames_of(sixteen_frames(), [](const Image&) { return kHash; });
  answer.window = window_of(sixteen_frames(), 256);
  answer.window.tiled = true;
  answer.window.prune = "static:0.9";
  answer.window.degraded_from = 16;
  answer.window.one_of = 2;
  answer.window.similarity = 0.5;
  answer.model = {.id = "palisade-demo",
                  .notice = "a demo",
                  .sha256 = kHash,
                  .precision = "int8",
                  .calibration = "0123456789abcdef"};
  answer.adapter = {.id = "gate", .sha256 = kHash};
  return answer;
}

Event answer_event() {
  return {.kind = EventKind::kAnswer,
          .topic = answer_topic("front_door", "caption"),
          .source = stream_source("node-1", "front_door"),
          .subject = "front_door",
          .time = sixteen_frames().frames.back().stamp.wall,
          .data = to_json(full_answer()),
          .id = "01KAV3Q7W6E5N1Y3ZC8TQ0F4HM",
          .sequence = 412};
}

Event state_event(const StateEvent& state) {
  Event event = answer_event();
  event.kind = EventKind::kState;
  event.topic = state_topic("front_door");
  event.data = to_json(state);
  return event;
}

Json parsed(const Event& event) {
  return parse_json(to_json_line(event), "an event");
}

constexpr const char* kFirstDay = "tests/golden/schema/2026-11-23";
constexpr const char* kSecondDay = "tests/golden/schema/2026-11-30";

// A schema that was published once, and the keys that came later into objects that it closed.
struct FormerSchema {
  std::string folder;
  std::string name;
  std::vector<std::string> closed;
};

const FormerSchema kFormerSchemas[] = {
    {kFirstDay,
     "answer",
     {"boxes/*/confidence", "boxes/*/spread", "boxes/*/mask", "choices/*/calibrated", "window/tiled"}},
    {kFirstDay, "heartbeat", {"streams/*/lost"}},
    {kFirstDay, "state", {}},
    {kSecondDay, "answer", {"boxes/*/confidence", "boxes/*/spread", "boxes/*/mask", "choices/*/calibrated"}},
    {kSecondDay, "heartbeat", {}},
    {kSecondDay, "state", {}},
    {"service/schema", "answer", {}},
    {"service/schema", "heartbeat", {}},
    {"service/schema", "state", {}},
};

// Erases a key from every object that a path such as "boxes/*/mask" leads to.
void erase_each(Json& at, const std::string& path) {
  const std::size_t slash = path.find('/');
  if (slash == std::string::npos) {
    if (at.is_object()) at.erase(path);
  } else if (path.substr(0, slash) == "*") {
    for (Json& inner : at) erase_each(inner, path.substr(slash + 1));
  } else if (at.contains(path.substr(0, slash))) {
    erase_each(at[path.substr(0, slash)], path.substr(slash + 1));
  }
}

// An event of that kind with all that it can have.
Event whole_event(const std::string& kind) {
  if (kind == "answer") return answer_event();
  if (kind == "state")
    return state_event({.state = "reconnecting",
                        .reason = "refused",
                        .attempt = 3,
                        .next_try_in = std::chrono::seconds(4),
                        .width = 640,
                        .height = 360});
  Event event = answer_event();
  event.kind = EventKind::kHeartbeat;
  event.source = "palisade://node-1/service";
  event.subject = "service";
  event.data = to_json(HeartbeatEvent{.sequences = {{"palisade/v1/front_door/caption", 412}},
                                      .streams = {{"front_door", {.frames = 9, .lost = 2}}},
                                      .journal = JournalStatus{.storing = false, .reason = "full"}});
  return event;
}

void check_valid(const std::string& schema, const Json& event) {
  for (const std::string& fault : schema_faults(schema, event)) FAIL_CHECK(fault);
}

}  // namespace

TEST_CASE("the documented example of an answer is valid") {
  check_valid("answer", documented_example());
}

TEST_CASE("answers are valid, with and without what may be left out") {
  check_valid("answer", parsed(answer_event()));
  Event bare = answer_event();
  AnswerEvent answer{.task = "question", .prompt = "answer en x", .finish_reason = "deadline"};
  answer.frames = frames_of(sixteen_frames(), [](const Image&) { return kHash; });
  answer.window = {.count = 2, .tokens = 512, .tokens_kept = 256, .prune = "static:0.9"};
  answer.model = {.id = "m", .precision = "f32"};
  bare.data = to_json(answer);
  check_valid("answer", parsed(bare));
  for (const char* const key : {"logprob", "token_logprobs", "choices"}) CHECK_FALSE(bare.data.contains(key));
  CHECK_FALSE(bare.data["model"].contains("sha256"));
  CHECK_FALSE(bare.data["window"].contains("policy"));
}

TEST_CASE("an answer that still holds is valid, and has nothing of an answer but its text") {
  AnswerEvent answer{.task = "caption", .prompt = "caption en", .text = "an empty street"};
  answer.frames = frames_of(sixteen_frames(), [](const Image&) { return kHash; });
  answer.window = window_of(sixteen_frames(), 256);
  answer.window.similarity = 0.993;
  answer.model = {.id = "m", .precision = "f32"};
  answer.skipped_before = 12;
  answer.unchanged_since = sixteen_frames().frames.front().stamp.wall;
  Event event = answer_event();
  event.data = to_json(answer);
  check_valid("answer", parsed(event));
  CHECK(event.data["unchanged_since"] == "2026-11-23T09:05:19.900Z");
  for (const char* const key : {"finish_reason", "token_ids", "logprob", "choices"}) {
    CAPTURE(key);
    CHECK_FALSE(event.data.contains(key));
  }
  // It is one or the other.
  Json faked = parsed(event);
  faked["data"].erase("unchanged_since");
  CHECK_FALSE(schema_faults("answer", faked).empty());
  faked["data"]["unchanged_since"] = nullptr;
  CHECK_FALSE(schema_faults("answer", faked).empty());
}

TEST_CASE("states and heartbeats are valid") {
  for (const char* const state :
       {"connecting", "online", "stalled", "reconnecting", "auth_failed", "unreadable", "ended", "removed"}) {
    check_valid("state", parsed(state_event({.state = state})));
  }
  for (const char* const kind : {"state", "heartbeat"}) check_valid(kind, parsed(whole_event(kind)));
}

TEST_CASE("subscribers with a schema of before take every event, but for keys that are told here") {
  for (const FormerSchema& former : kFormerSchemas) {
    CAPTURE(former.folder);
    CAPTURE(former.name);
    const Json whole = parsed(whole_event(former.name));
    Json known = whole;
    for (const std::string& key : former.closed) erase_each(known["data"], key);
    for (const std::string& fault : schema_faults(former.name, known, former.folder)) FAIL_CHECK(fault);
    // Each of these keys stands in an object that was closed, so the list has none too many.
    for (const std::string& key : former.closed) {
      CAPTURE(key);
      Json later = whole;
      for (const std::string& other : former.closed) {
        if (other != key) erase_each(later["data"], other);
      }
      CHECK_FALSE(schema_faults(former.name, later, former.folder).empty());
    }
  }
}

TEST_CASE("what is published unless something new is asked for is valid by every schema there ever was") {
  AnswerEvent answer = full_answer();
  answer.boxes.clear();
  answer.window.tiled = false;
  for (AnswerChoice& choice : answer.choices) choice.calibrated.reset();
  Event event = answer_event();
  event.data = to_json(answer);
  AnswerEvent repeated = answer;
  repeated.unchanged_since = sixteen_frames().frames.front().stamp.wall;
  Event same = answer_event();
  same.data = to_json(repeated);
  Event heartbeat = whole_event("heartbeat");
  heartbeat.data = to_json(HeartbeatEvent{.sequences = {{"palisade/v1/front_door/caption", 412}},
                                          .streams = {{"front_door", {.frames = 9}}}});
  for (const char* const folder : {kFirstDay, kSecondDay, "service/schema"}) {
    CAPTURE(folder);
    for (const auto& [name, one] :
         {std::pair("answer", &event), std::pair("answer", &same), std::pair("heartbeat", &heartbeat)}) {
      for (const std::string& fault : schema_faults(name, parsed(*one), folder)) FAIL_CHECK(fault);
    }
    for (const char* const state : {"connecting", "online", "stalled", "reconnecting", "auth_failed",
                                    "unreadable", "ended", "removed"}) {
      for (const std::string& fault : schema_faults("state", parsed(state_event({.state = state})), folder))
        FAIL_CHECK(fault);
    }
  }
  // A camera's process that crashes: the first day had none.
  const Json crashed = parsed(state_event({.state = "crashed"}));
  CHECK(schema_faults("state", crashed, kSecondDay).empty());
  CHECK_FALSE(schema_faults("state", crashed, kFirstDay).empty());
}

TEST_CASE("a broken answer is not valid") {
  const Json good = parsed(answer_event());
  const auto broken = [&](const char* pointer, const Json& value) {
    Json event = good;
    event[Json::json_pointer(pointer)] = value;
    CAPTURE(pointer);
    CHECK_FALSE(schema_faults("answer", event).empty());
  };
  broken("/id", "01KAV3Q7W6E5N1Y3ZC8TQ0F4H");
  broken("/id", "01KAV3Q7W6E5N1Y3ZC8TQ0F4HI");
  broken("/time", "2026-11-23 09:05:24");
  broken("/sequence", 412);
  broken("/type", "palisade.answer.v2");
  broken("/source", "front_door");
  broken("/subject", "Front Door");
  broken("/data/finish_reason", "done");
  broken("/data/token_ids", "877");
  broken("/data/token_logprobs", Json::array({0.5}));
  broken("/data/choices", Json::array());
  broken("/data/choices/0/p", 1.5);
  broken("/data/choices/0/logprob", 0.5);
  broken("/data/choices/0/text", 1);
  broken("/data/frames", Json::array());
  broken("/data/frames/0/time_source", "guess");
  broken("/data/frames/0/sha256", "abc");
  broken("/data/frames/0/extra", 1);
  broken("/data/window/policy", "random");
  broken("/data/timing_ms/total", -1);
  broken("/data/boxes/1/confidence", 1.5);
  broken("/data/boxes/1/spread", Json::array({0, 0, 1}));
  broken("/data/boxes/1/mask/size", Json::array({360}));
  broken("/data/boxes/1/mask/picture", "../mask.png");
  broken("/data/answer_type", "number");
  broken("/data/passes/decode", -1);
  broken("/data/malformed/0/reason", 4);
  broken("/data/boxes", Json::array({{{"label", "car"}, {"box", {0, 0, 1}}, {"pixels", {0, 0, 1, 1}}}}));
}

TEST_CASE("an event that lacks a required field is not valid") {
  const Json good = parsed(answer_event());
  for (const auto& [key, value] : good.items()) {
    Json event = good;
    event.erase(key);
    CAPTURE(key);
    CHECK_FALSE(schema_faults("answer", event).empty());
  }
  for (const char* const key : {"task", "text", "frames", "window", "model", "dropped_before", "timing_ms"}) {
    Json event = good;
    event["data"].erase(key);
    CAPTURE(key);
    CHECK_FALSE(schema_faults("answer", event).empty());
  }
}

TEST_CASE("a state that nobody knows is not valid") {
  CHECK_FALSE(schema_faults("state", parsed(state_event({.state = "asleep"}))).empty());
}
