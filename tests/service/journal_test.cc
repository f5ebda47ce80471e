#include "service/journal/journal.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "service/events/event_writer.h"
#include "service/journal/database.h"
#include "service/journal/event_query.h"
#include "service/journal/event_upkeep.h"
#include "service/journal/likeness.h"
#include "service/journal/waiting_events.h"
#include "tasks/events/event.h"
#include "tests/service/kept_events.h"
#include "tests/service/state_folder.h"
#include "tests/tasks/schema.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

StateRecord state_of(const std::string& stream, const std::string& reason = "") {
  return {.stream = stream, .state = {.state = "online", .reason = reason, .since = wall_now()}};
}

// A service's road without its thread: what is written is numbered, stored and kept as sent.
struct Road {
  explicit Road(const std::filesystem::path& folder, JournalOptions options = {}) {
    options.folder = folder;
    journal = std::make_unique<Journal>(options, std::vector<EventSink*>{&sent});
    writer =
        std::make_unique<EventWriter>("test", std::vector<EventSink*>{journal.get()}, journal->history());
  }
  std::vector<SharedMessage> end() {
    journal.reset();
    return sent.all();
  }

  KeptEvents sent;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<EventWriter> writer;
};

std::vector<StoredEvent> all_of(const std::filesystem::path& folder, EventFilter filter = {}) {
  filter.limit = 1'000'000;
  return EventQuery(folder).find(filter);
}

std::vector<std::string> bodies_of(const std::vector<StoredEvent>& events) {
  std::vector<std::string> bodies;
  for (const StoredEvent& event : events) bodies.push_back(event.body);
  return bodies;
}

std::vector<std::string> bodies_of(const std::vector<SharedMessage>& messages) {
  std::vector<std::string> bodies;
  for (const SharedMessage& message : messages) bodies.push_back(message->json);
  return bodies;
}

// Holds a journal as another process does that writes.
class Holder {
 public:
  explicit Holder(const std::filesystem::path& folder)
      : database_(open_database(journal_file(folder), Access::kWrite)) {
    database_.exec("BEGIN EXCLUSIVE");
  }

 private:
  SQLite::Database database_;
};

void overwrite(const std::filesystem::path& file, std::streamoff at, std::size_t count) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(at);
  stream << std::string(count, '\xa5');
}

}  // namespace

TEST_CASE("an event is sent once it is stored, to the byte, in order; heartbeats are not stored") {
  const StateFolder folder;
  Road road(folder.path());
  for (int i = 0; i < 300; ++i) {
    road.writer->write(state_of(i % 2 == 0 ? "door" : "yard"));
    if (i % 100 == 0) road.writer->write(HeartbeatEvent{});
  }
  const auto sent = road.end();
  CHECK(sent.size() == 303);
  std::vector<SharedMessage> kept;
  for (const SharedMessage& message : sent) {
    if (message->kind != EventKind::kHeartbeat) kept.push_back(message);
  }
  CHECK(bodies_of(all_of(folder.path())) == bodies_of(kept));
}

TEST_CASE("numbering goes on after a restart, and ids ascend though the clock was set back") {
  const StateFolder folder;
  std::string last_id;
  {
    Road road(folder.path());
    for (int i = 0; i < 3; ++i) road.writer->write(state_of("door"));
    last_id = road.end().back()->id;
  }
  Road road(folder.path());
  road.writer->write(state_of("door"));
  road.writer->write(state_of("yard"));
  const auto sent = road.end();
  CHECK(sent[0]->sequence == 4);
  CHECK(sent[0]->id > last_id);
  CHECK(sent[1]->sequence == 1);
  CHECK(all_of(folder.path()).size() == 5);
}

TEST_CASE("while another process holds the file events are sent unstored, and stored later in order") {
  const StateFolder folder;
  Road road(folder.path(), {.patience = 200ms, .retry = 20ms});
  road.writer->write(state_of("door", "before"));
  while (road.journal->status().waiting > 0) std::this_thread::sleep_for(1ms);
  {
    const Holder holder(folder.path());
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < 20; ++i) road.writer->write(state_of("door", std::to_string(i)));
    while (road.sent.all().size() < 21) std::this_thread::sleep_for(1ms);
    CHECK(std::chrono::steady_clock::now() - begun < 10s);  // not as long as the file is held
    while (road.journal->status().storing) std::this_thread::sleep_for(1ms);
    CHECK(road.journal->status().reason.find("another process") != std::string::npos);
    CHECK(road.journal->status().waiting == 20);
  }
  while (road.journal->status().waiting > 0) std::this_thread::sleep_for(1ms);
  const auto sent = road.end();
  CHECK(parse_json(sent[0]->json, "first").contains("journaled") == false);
  for (std::size_t i = 1; i < sent.size(); ++i) {
    const Json event = parse_json(sent[i]->json, "unstored");
    CHECK(event["journaled"] == false);
    CHECK(schema_faults("state", event).empty());
  }
  const auto stored = all_of(folder.path());
  REQUIRE(stored.size() == 21);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    CHECK(stored[i].id == sent[i]->id);
    CHECK(stored[i].body.find("journaled") == std::string::npos);
  }
}

TEST_CASE("what waits too long in memory is lost from its oldest on, counted, and sent all the same") {
  const StateFolder folder;
  Road road(folder.path(), {.patience = 50ms, .waiting_bytes = 20'000, .retry = 20ms});
  {
    const Holder holder(folder.path());
    for (int i = 0; i < 200; ++i) road.writer->write(state_of("door", std::to_string(i)));
    CHECK(road.journal->status().lost > 50);
  }
  while (road.journal->status().waiting > 0) std::this_thread::sleep_for(1ms);
  const std::uint64_t lost = road.journal->status().lost;
  const auto sent = road.end();
  CHECK(sent.size() == 200);
  const auto stored = all_of(folder.path());
  REQUIRE(stored.size() == 200 - lost);
  // What was being written while it was dropped is stored after all, so the loss need not begin with the
  // first.
  CHECK(stored.back().id == sent.back()->id);
  CHECK(std::ranges::is_sorted(stored, {}, &StoredEvent::id));
}

TEST_CASE("a damaged journal is set aside, and a new one goes on with the numbers") {
  const StateFolder folder;
  {
    Road road(folder.path());
    for (int i = 0; i < 2000; ++i) road.writer->write(state_of("door", "some words that take room"));
  }
  overwrite(journal_file(folder.path()), 3 * 4096, 2 * 4096);
  Road road(folder.path());
  for (int i = 0; i < 10; ++i) road.writer->write(state_of("door"));
  road.end();
  CHECK(all_of(folder.path()).size() == 10);
  CHECK(check_journal(folder.path()).faults.empty());
  std::size_t aside = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    aside += entry.path().filename().string().starts_with("journal.db.corrupt-");
  CHECK(aside == 1);
}

TEST_CASE("a journal that is no database, is a folder, or comes from a newer version is told as such") {
  const StateFolder folder;
  std::ofstream(journal_file(folder.path())) << std::string(10'000, 'x');
  {
    Road road(folder.path());
    road.writer->write(state_of("door"));
  }
  CHECK(all_of(folder.path()).size() == 1);
  { open_database(journal_file(folder.path()), Access::kWrite).exec("PRAGMA user_version=1000"); }
  CHECK_THROWS_WITH_AS(Road(folder.path()), doctest::Contains("newer Palisade"), StorageError);
  CHECK_THROWS_WITH_AS(Road("/proc/nowhere"), doctest::Contains("state:"), Error);
}

TEST_CASE("one folder is one service's") {
  const StateFolder folder;
  const Road road(folder.path());
  CHECK_THROWS_AS(Road(folder.path()), Unavailable);
}

TEST_CASE("events go when they are too old or too many, and kept ones stay") {
  const StateFolder folder;
  std::string kept;
  {
    Road road(folder.path());
    for (int i = 0; i < 3000; ++i) road.writer->write(state_of("door", std::string(1000, 'w')));
    kept = road.end().front()->id;
  }
  CHECK(keep_event(folder.path(), kept, true));
  EventStore store(folder.path());
  CHECK(store.remove_some({}, wall_now()) == 0);
  const Retention small{.bytes = 4'000'000};
  while (store.remove_some(small, wall_now()) > 0) {
  }
  const auto left = all_of(folder.path());
  CHECK(left.size() > 400);
  CHECK(left.size() < 2000);
  CHECK(left.front().id == kept);
  while (store.remove_some({.events = 1h}, wall_now() + 2h) > 0) {
  }
  CHECK(all_of(folder.path()).size() == 1);
  CHECK(check_journal(folder.path()).faults.empty());
}

TEST_CASE("an event of an old film is as young as its id") {
  const StateFolder folder;
  {
    Road road(folder.path());
    StateRecord old = state_of("film");
    old.state.since = WallTime{};
    road.writer->write(old);
    std::this_thread::sleep_for(50ms);
  }
  EventStore store(folder.path());
  CHECK(store.remove_some({}, wall_now()) == 0);
  CHECK(all_of(folder.path()).size() == 1);
}

TEST_CASE("searches find words, streams, kinds and times, newest first or from a position on") {
  const StateFolder folder;
  {
    Road road(folder.path());
    road.writer->write(state_of("door", "a Red car"));
    road.writer->write(state_of("yard", "a red bicycle"));
    road.writer->write(state_of("door", "nothing"));
  }
  CHECK(all_of(folder.path(), {.words = "red"}).size() == 2);
  CHECK(all_of(folder.path(), {.words = "car RED"}).size() == 1);
  CHECK(all_of(folder.path(), {.words = "red", .stream = "yard"}).size() == 1);
  CHECK(all_of(folder.path(), {.stream = "door"}).size() == 2);
  CHECK(all_of(folder.path(), {.task = "state"}).size() == 3);
  CHECK(all_of(folder.path(), {.kind = EventKind::kAnswer}).empty());
  CHECK(all_of(folder.path(), {.min_p = 0.5}).empty());
  CHECK(all_of(folder.path(), {.from_ms = 0, .to_ms = 1000}).empty());
  CHECK(all_of(folder.path(), {.after = 2}).size() == 1);
  CHECK(all_of(folder.path(), {.newest_first = true}).front().position == 3);
  EventQuery query(folder.path());
  CHECK(query.last_position() == 3);
  CHECK_THROWS_WITH_AS(query.event("01"), doctest::Contains("give more"), Error);
  CHECK_THROWS_WITH_AS(query.event("7ZZZ"), doctest::Contains("no event"), Error);
  CHECK_THROWS_AS(query.event(""), Error);
}

TEST_CASE("nothing in a search is an operator, and endless ones are refused") {
  const StateFolder folder;
  {
    Road road(folder.path());
    road.writer->write(state_of("door", "near and far"));
  }
  // Each of these would find the event if it were what FTS5 takes it for.
  for (const std::string words : {"near OR nothing", "near NOT nothing", "nea*", "text:near", "near\" OR \"x",
                                  "NEAR(near far)", "{text} : near", "'; DROP TABLE event; --"}) {
    CAPTURE(words);
    CHECK(all_of(folder.path(), {.words = words}).empty());
  }
  // Signs alone are no words.
  for (const std::string words : {"\"near", "^near", "-near", "near AND (", "near*"}) {
    CAPTURE(words);
    CHECK(all_of(folder.path(), {.words = words}).size() == 1);
  }
  CHECK(all_of(folder.path(), {.words = std::string("near\0far", 8)}).size() == 1);
  CHECK_THROWS_AS(all_of(folder.path(), {.words = std::string(100'000, 'a')}), UsageError);
  CHECK_THROWS_AS(all_of(folder.path(), {.words = "\xff\xfe"}), UsageError);
  std::string many;
  for (int i = 0; i < 100; ++i) many += "a ";
  CHECK_THROWS_AS(all_of(folder.path(), {.words = many}), UsageError);
}

TEST_CASE("verdicts keep their event, can be changed and taken back") {
  const StateFolder folder;
  {
    Road road(folder.path());
    for (int i = 0; i < 3; ++i) road.writer->write(state_of("door"));
  }
  const std::string id = all_of(folder.path())[1].id;
  CHECK_FALSE(judgement_of(folder.path(), id).has_value());
  CHECK(judge_event(folder.path(), id, Judgement{.right = false, .text = "a blue car"}));
  CHECK(judgement_of(folder.path(), id)->text == "a blue car");
  CHECK(EventQuery(folder.path()).event(id).kept);
  CHECK(judge_event(folder.path(), id, Judgement{.right = true}));
  CHECK(judgement_of(folder.path(), id)->right);
  CHECK(judged_events(folder.path()) == std::vector{id});
  CHECK(judge_event(folder.path(), id, std::nullopt));
  CHECK_FALSE(EventQuery(folder.path()).event(id).kept);
  CHECK_FALSE(judge_event(folder.path(), "nobody", Judgement{}));
  CHECK_FALSE(keep_event(folder.path(), "nobody", true));
}

TEST_CASE("what is erased leaves no byte in the folder") {
  const StateFolder folder;
  {
    Road road(folder.path());
    for (int i = 0; i < 1000; ++i) road.writer->write(state_of("door", "zirconium" + std::to_string(i)));
    for (int i = 0; i < 1000; ++i) road.writer->write(state_of("yard", "tungsten"));
  }
  CHECK(erase_events(folder.path(), "door", 0, std::int64_t(1) << 50) == 1000);
  CHECK(all_of(folder.path()).size() == 1000);
  CHECK(check_journal(folder.path()).faults.empty());
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    CAPTURE(entry.path().string());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    CHECK(bytes.find("zirconium") == std::string::npos);
  }
}

TEST_CASE("a damaged journal's sound events are saved by a repair") {
  const StateFolder folder;
  {
    Road road(folder.path());
    for (int i = 0; i < 3000; ++i)
      road.writer->write(state_of("door", "words that take room " + std::to_string(i)));
  }
  const std::string kept = all_of(folder.path())[2500].id;
  judge_event(folder.path(), kept, Judgement{.right = false, .text = "a dog"});
  overwrite(journal_file(folder.path()), 100 * 4096, 2 * 4096);
  CHECK_FALSE(check_journal(folder.path()).faults.empty());
  const auto saved = repair_journal(folder.path());
  CHECK(saved > 2000);
  CHECK(check_journal(folder.path()).faults.empty());
  CHECK(all_of(folder.path()).size() == saved);
  const auto verdict = judgement_of(folder.path(), kept);
  REQUIRE(verdict);
  CHECK_FALSE(verdict->right);
  CHECK(verdict->text == "a dog");
}

TEST_CASE("events in a journal are what the schemas say, so that the columns can be read") {
  const StateFolder folder;
  AnswerRecord record{
      .stream = "door", .task = "pair", .clip = {}, .answer = {.task = "pair", .text = "yes"}};
  record.clip.frames.push_back(
      {.stamp = {.wall = wall_now()}, .stream = "door", .image = {2, 2, std::vector<std::uint8_t>(12, 7)}});
  record.answer.choices = {{.text = "no", .p = 0.2}, {.text = "yes", .p = 0.8}};
  {
    Road road(folder.path());
    road.writer->write(record);
  }
  CHECK(all_of(folder.path(), {.min_p = 0.75}).size() == 1);
  CHECK(all_of(folder.path(), {.min_p = 0.85}).empty());
  CHECK(all_of(folder.path(), {.words = "yes", .task = "pair", .kind = EventKind::kAnswer}).size() == 1);
}

TEST_CASE("events whose pictures mean the same are found, most alike first") {
  const StateFolder folder;
  const std::vector<std::vector<float>> vectors{
      {1, 0, 0}, {0.8F, 0.6F, 0}, {0, 1, 0}, {0, 0, 1}, {0.6F, 0.8F, 0}, {}, {1, 0}};
  {
    Road road(folder.path());
    for (const std::vector<float>& vector : vectors) {
      AnswerRecord record{.stream = "door", .task = "caption", .clip = {}, .answer = {.task = "caption"}};
      record.clip.frames.push_back({.stamp = {.wall = wall_now()},
                                    .stream = "door",
                                    .image = {2, 2, std::vector<std::uint8_t>(12, 7)}});
      record.likeness = vector;
      road.writer->write(record);
    }
  }
  const auto alike = alike_events(folder.path(), 1, 3);
  REQUIRE(alike.size() == 3);
  CHECK(alike[0].position == 2);
  CHECK(alike[0].cosine == doctest::Approx(0.8).epsilon(0.001));
  CHECK(alike[1].position == 5);
  CHECK(alike_events(folder.path(), 6, 3).empty());
  CHECK(alike_events(folder.path(), 7, 3).empty());  // another model's size
  // What is removed takes its vector along.
  CHECK(erase_events(folder.path(), "door", 0, std::int64_t(1) << 50) == vectors.size());
  CHECK(open_database(journal_file(folder.path()), Access::kRead)
            .execAndGet("SELECT count(*) FROM likeness")
            .getInt() == 0);
}
