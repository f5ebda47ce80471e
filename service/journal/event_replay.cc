#include "service/journal/event_replay.h"

#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "service/journal/database.h"
#include "service/journal/event_store.h"

namespace palisade {
namespace {

// Rows that one request looks at, whatever their topics: what is rare does not hold up others.
constexpr int kMaxRowsLookedAt = 20'000;
constexpr std::size_t kMaxMissingTold = 1000;  // of all topics

// Ends the read transaction of a statement, which would keep the WAL from being cut.
class ResetStatement {
 public:
  explicit ResetStatement(SQLite::Statement& statement) : statement_(statement) { statement_.tryReset(); }
  ~ResetStatement() { statement_.tryReset(); }
  ResetStatement(const ResetStatement&) = delete;
  ResetStatement& operator=(const ResetStatement&) = delete;

 private:
  SQLite::Statement& statement_;
};

struct Row {
  std::int64_t position = 0;
  std::uint64_t sequence = 0;
  std::string topic, body;
};

// Keeps what fits an answer, of rows in the order of their positions.
class Filling {
 public:
  explicit Filling(ReplayAnswer& answer) : answer_(answer) {}
  // False where it does not fit any more.
  bool add(Row& row) {
    const std::size_t bytes = row.topic.size() + row.body.size();
    if (answer_.events.size() >= kMaxReplayedEvents ||
        (!answer_.events.empty() && bytes_ + bytes > kMaxReplayedBytes)) {
      answer_.more = true;
      return false;
    }
    bytes_ += bytes;
    answer_.position = row.position;
    answer_.events.emplace_back(std::move(row.topic), std::move(row.body));
    return true;
  }

 private:
  ReplayAnswer& answer_;
  std::size_t bytes_ = 0;
};

}  // namespace

struct EventReplay::Connection {
  explicit Connection(const std::filesystem::path& file) : database(open_database(file, Access::kRead)) {}

  ReplayAnswer answer(const AfterSequences& request);
  ReplayAnswer answer(const AfterPosition& request);
  ReplayAnswer answer(const JournalEnd&);
  ReplayAnswer answer(const LastEvents& request);
  std::vector<Row> rows_of(const std::string& topic, std::uint64_t after);
  std::uint64_t last_sequence(const std::string& topic);  // that was stored; 0: none

  SQLite::Database database;
  SQLite::Statement by_topic{
      database,
      "SELECT position, sequence, body FROM event WHERE topic = ? AND sequence > ? ORDER BY "
      "sequence, position LIMIT ?"};
  SQLite::Statement by_position{
      database, "SELECT position, topic, body FROM event WHERE position > ? ORDER BY position LIMIT ?"};
  SQLite::Statement end{database, "SELECT coalesce(max(position), 0) FROM event"};
  SQLite::Statement last{
      database,
      "SELECT max(event.position), topic.topic, event.body FROM topic JOIN event ON "
      "event.topic = topic.topic AND event.sequence = topic.sequence WHERE topic.topic >= ? AND "
      "topic.topic < ? || char(1114111) GROUP BY topic.topic LIMIT ?"};
  SQLite::Statement topic_end{database, "SELECT sequence FROM topic WHERE topic = ?"};
};

std::vector<Row> EventReplay::Connection::rows_of(const std::string& topic, std::uint64_t after) {
  const ResetStatement reading(by_topic);
  by_topic.bind(1, topic);
  by_topic.bind(2, std::int64_t(after));
  by_topic.bind(3, int(kMaxReplayedEvents) + 1);
  std::vector<Row> rows;
  while (by_topic.executeStep())
    rows.push_back({.position = by_topic.getColumn(0).getInt64(),
                    .sequence = std::uint64_t(by_topic.getColumn(1).getInt64()),
                    .topic = topic,
                    .body = by_topic.getColumn(2).getString()});
  return rows;
}

std::uint64_t EventReplay::Connection::last_sequence(const std::string& topic) {
  const ResetStatement reading(topic_end);
  topic_end.bind(1, topic);
  return topic_end.executeStep() ? std::uint64_t(topic_end.getColumn(0).getInt64()) : 0;
}

ReplayAnswer EventReplay::Connection::answer(const AfterSequences& request) {
  ReplayAnswer answer;
  std::vector<Row> all;
  for (const auto& [topic, after] : request.sequences) {
    std::vector<Row> rows = rows_of(topic, after);
    std::move(rows.begin(), rows.end(), std::back_inserter(all));
  }
  std::ranges::sort(all, {}, &Row::position);
  Filling filling(answer);
  std::map<std::string, std::vector<std::uint64_t>> found;
  for (Row& row : all) {
    const std::uint64_t sequence = row.sequence;
    const std::string topic = row.topic;
    if (!filling.add(row)) break;
    found[topic].push_back(sequence);
  }
  std::size_t told = 0;
  for (const auto& [topic, after] : request.sequences) {
    std::vector<std::uint64_t>& sequences = found[topic];
    if (!answer.more) sequences.push_back(last_sequence(topic) + 1);
    std::ranges::sort(sequences);
    std::uint64_t expected = after + 1;
    for (const std::uint64_t sequence : sequences) {
      for (; expected < sequence && told < kMaxMissingTold; ++expected, ++told)
        answer.missing[topic].push_back(expected);
      expected = sequence + 1;
    }
  }
  return answer;
}

ReplayAnswer EventReplay::Connection::answer(const AfterPosition& request) {
  ReplayAnswer answer{.position = request.position};
  const ResetStatement reading(by_position);
  by_position.bind(1, request.position);
  by_position.bind(2, kMaxRowsLookedAt);
  Filling filling(answer);
  std::int64_t looked_at = request.position;
  int rows = 0;
  while (by_position.executeStep()) {
    Row row{.position = by_position.getColumn(0).getInt64(), .topic = by_position.getColumn(1).getString()};
    if (row.topic.starts_with(request.prefix)) {
      row.body = by_position.getColumn(2).getString();
      if (!filling.add(row)) return answer;
    }
    looked_at = by_position.getColumn(0).getInt64();
    ++rows;
  }
  answer.position = looked_at;
  answer.more = rows == kMaxRowsLookedAt;
  return answer;
}

ReplayAnswer EventReplay::Connection::answer(const JournalEnd&) {
  const ResetStatement reading(end);
  end.executeStep();
  return {.position = end.getColumn(0).getInt64()};
}

ReplayAnswer EventReplay::Connection::answer(const LastEvents& request) {
  ReplayAnswer answer;
  const ResetStatement reading(last);
  last.bind(1, request.prefix);
  last.bind(2, request.prefix);
  last.bind(3, int(kMaxReplayedEvents));
  std::vector<Row> rows;
  while (last.executeStep())
    rows.push_back({.position = last.getColumn(0).getInt64(),
                    .topic = last.getColumn(1).getString(),
                    .body = last.getColumn(2).getString()});
  std::ranges::sort(rows, {}, &Row::position);
  Filling filling(answer);
  for (Row& row : rows) {
    if (!filling.add(row)) break;
  }
  return answer;
}

EventReplay::EventReplay(const std::filesystem::path& state_folder) : file_(journal_file(state_folder)) {
  open();
}

EventReplay::~EventReplay() = default;

// The file is another one after the journal was set aside as damaged.
void EventReplay::open() {
  struct stat now {};
  const bool there = ::stat(file_.c_str(), &now) == 0;
  if (connection_ && there && now.st_ino == inode_) return;
  connection_.reset();
  connection_ = guarded(file_, [&] { return std::make_unique<Connection>(file_); });
  inode_ = now.st_ino;
}

ReplayAnswer EventReplay::answer(const ReplayRequest& request) {
  open();
  return guarded(file_, [&] {
    return std::visit([&](const auto& form) { return connection_->answer(form); }, request);
  });
}

}  // namespace palisade
