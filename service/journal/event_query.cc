#include "service/journal/event_query.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/utf8.h"
#include "service/journal/database.h"
#include "service/journal/event_store.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxSearchBytes = 1024, kMaxTerms = 32;
constexpr char kColumns[] = "event.position, event.id, event.topic, event.body, event.kept";

bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0 || c == '\0';
}

StoredEvent event_at(SQLite::Statement& row) {
  return {.position = row.getColumn(0).getInt64(),
          .id = row.getColumn(1).getString(),
          .topic = row.getColumn(2).getString(),
          .body = row.getColumn(3).getString(),
          .kept = row.getColumn(4).getInt() != 0};
}

// A statement's conditions and what is bound to them, in the same order.
class Conditions {
 public:
  void text(const char* condition, const std::string& value) {
    if (!value.empty()) add(condition, [value](SQLite::Statement& to, int at) { to.bind(at, value); });
  }
  template <class Number>
  void number(const char* condition, const std::optional<Number>& value) {
    if (value) add(condition, [value](SQLite::Statement& to, int at) { to.bind(at, *value); });
  }
  std::string sql() const { return sql_.empty() ? "" : " WHERE " + sql_; }
  void bind(SQLite::Statement& statement) const {
    for (std::size_t i = 0; i < binds_.size(); ++i) binds_[i](statement, int(i) + 1);
  }

 private:
  using Bind = std::function<void(SQLite::Statement&, int)>;
  void add(const char* condition, Bind bind) {
    sql_ += (sql_.empty() ? "" : " AND ") + std::string(condition);
    binds_.push_back(std::move(bind));
  }
  std::string sql_;
  std::vector<Bind> binds_;
};

Conditions conditions_of(const EventFilter& filter, const std::string& terms) {
  Conditions conditions;
  conditions.text("event_text MATCH ?", terms);
  conditions.text("event.stream = ?", filter.stream);
  conditions.text("event.task = ?", filter.task);
  if (filter.kind) conditions.number("event.kind = ?", std::optional<int>(int(*filter.kind)));
  conditions.number("event.time_ms >= ?", filter.from_ms);
  conditions.number("event.time_ms < ?", filter.to_ms);
  conditions.number("event.p >= ?", filter.min_p);
  if (filter.after > 0) conditions.number("event.position > ?", std::optional(filter.after));
  conditions.number("event.position < ?", filter.before);
  return conditions;
}

}  // namespace

std::string search_terms(std::string_view words) {
  if (words.size() > kMaxSearchBytes)
    throw UsageError(format("words to search for are at most {} bytes", kMaxSearchBytes));
  if (!valid_utf8(words)) throw UsageError("the words to search for are not valid UTF-8");
  std::string terms;
  std::size_t count = 0;
  for (std::size_t at = 0; at < words.size();) {
    if (is_space(words[at])) {
      ++at;
      continue;
    }
    if (++count > kMaxTerms) throw UsageError(format("words to search for are at most {}", kMaxTerms));
    terms += terms.empty() ? "\"" : " \"";
    for (; at < words.size() && !is_space(words[at]); ++at) {
      if (words[at] == '"') terms += '"';  // doubled, it stands for itself
      terms += words[at];
    }
    terms += '"';
  }
  return terms;
}

struct EventQuery::Connection {
  SQLite::Database database;
};

EventQuery::EventQuery(const std::filesystem::path& state_folder) : file_(journal_file(state_folder)) {
  std::error_code error;
  if (!std::filesystem::exists(file_, error))
    throw Error(file_.string() +
                ": there is no journal; give its state folder with --state DIR, or the "
                "service's configuration with --config FILE");
  connection_ = std::make_unique<Connection>(Connection{open_database(file_, Access::kRead)});
}

EventQuery::~EventQuery() = default;
EventQuery::EventQuery(EventQuery&&) noexcept = default;

std::vector<StoredEvent> EventQuery::find(const EventFilter& filter) {
  const std::string terms = search_terms(filter.words);
  const Conditions conditions = conditions_of(filter, terms);
  // Both orders are those of a rowid, so that the first rows are found without sorting.
  const std::string from =
      terms.empty() ? "event" : "event_text JOIN event ON event.position = event_text.rowid";
  const std::string order = terms.empty() ? "event.position" : "event_text.rowid";
  return guarded(file_, [&] {
    SQLite::Statement query(connection_->database, "SELECT " + std::string(kColumns) + " FROM " + from +
                                                       conditions.sql() + " ORDER BY " + order +
                                                       (filter.newest_first ? " DESC" : "") + " LIMIT " +
                                                       std::to_string(filter.limit));
    conditions.bind(query);
    std::vector<StoredEvent> events;
    while (query.executeStep()) events.push_back(event_at(query));
    return events;
  });
}

StoredEvent EventQuery::event(std::string_view id) {
  std::string first(id);
  for (char& c : first) c = char(std::toupper(static_cast<unsigned char>(c)));
  return guarded(file_, [&] {
    SQLite::Statement query(connection_->database, "SELECT " + std::string(kColumns) +
                                                       " FROM event WHERE id >= ? AND id < ? || 'a' LIMIT 2");
    query.bind(1, first);
    query.bind(2, first);
    if (first.empty() || !query.executeStep())
      throw Error("the journal has no event '" + first + "'; `palisade events` lists them");
    StoredEvent found = event_at(query);
    if (found.id != first && query.executeStep())
      throw Error("several events begin with '" + first + "'; give more of the id");
    return found;
  });
}

std::vector<StoredEvent> EventQuery::at(const std::vector<std::int64_t>& positions) {
  return guarded(file_, [&] {
    SQLite::Statement query(connection_->database,
                            "SELECT " + std::string(kColumns) + " FROM event WHERE position = ?");
    std::vector<StoredEvent> events;
    for (const std::int64_t position : positions) {
      query.tryReset();
      query.bind(1, position);
      if (query.executeStep()) events.push_back(event_at(query));
    }
    return events;
  });
}

std::int64_t EventQuery::last_position() {
  return guarded(file_, [&] {
    return connection_->database.execAndGet("SELECT coalesce(max(position), 0) FROM event").getInt64();
  });
}

}  // namespace palisade
