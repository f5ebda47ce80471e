#include "service/journal/journal.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/folder_lock.h"
#include "base/format.h"
#include "base/log.h"
#include "service/journal/database.h"
#include "service/journal/event_store.h"
#include "service/journal/waiting_events.h"

namespace palisade {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds kWriterTurn{1'000};
constexpr milliseconds kBetweenEventRemovals{1'000}, kMaxRemovalTime{50};

// The folder, made where it is missing, for its owner alone.
const std::filesystem::path& usable(const std::filesystem::path& folder) {
  std::error_code error;
  if (std::filesystem::create_directories(folder, error))
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (error || ::access(folder.c_str(), W_OK | X_OK) != 0)
    throw Error(folder.string() + ": events cannot be kept there (" +
                    (error ? error.message() : std::string(std::strerror(errno))) +
                    "); give another folder with `state:`, or keep none with `journal: off`",
                ErrorKind::kWrongUse);
  return folder;
}

std::string remedy_of(StorageFault fault) {
  switch (fault) {
    case StorageFault::kFull:
      return "; free space there";
    case StorageFault::kBusy:
      return "; end that process";
    default:
      return "";
  }
}

}  // namespace

struct Journal::State {
  State(JournalOptions its_options, std::vector<EventSink*> its_sinks);

  void write(const std::stop_token& stop);
  void store_what_waits(const std::stop_token& stop);
  void send();
  void open();
  void on_fault(const StorageError& error);
  void replace_damaged();
  void remove_old();
  void tell_lost();
  void tell_storing();

  const JournalOptions options;
  const std::vector<EventSink*> sinks;
  const FolderLock owned;  // one service a folder
  EventHistory history;
  WaitingEvents waiting;

  // The writing thread's once it runs.
  std::optional<EventStore> store;
  EventHistory last;  // of what was stored, for a file that begins anew
  steady_clock::time_point next_removal = steady_clock::now();
  OncePerSecond losses;
  std::uint64_t told_lost = 0;

  std::atomic<std::uint64_t> stored = 0;  // events written so far
  mutable std::mutex mutex;
  std::string fault;  // guarded by mutex: why events are not stored now; empty: they are

  std::jthread writing, sending;
};

Journal::State::State(JournalOptions its_options, std::vector<EventSink*> its_sinks)
    : options(std::move(its_options)),
      sinks(std::move(its_sinks)),
      owned(usable(options.folder)),
      waiting(options.patience, options.waiting_bytes) {
  try {
    open();
  } catch (const StorageError& error) {
    if (error.fault() != StorageFault::kCorrupt) throw;
    replace_damaged();
  }
  history = last = store->history();
}

void Journal::State::open() {
  store.reset();
  store.emplace(options.folder);
}

// What can still be read of it stays in the file that is set aside.
void Journal::State::replace_damaged() {
  store.reset();
  const auto aside = set_aside(journal_file(options.folder));
  log_error("journal: " + journal_file(options.folder).string() + " was damaged: it is set aside as " +
            aside.filename().string() + ", and a new one was begun");
  open();
  store->adopt(last);
}

void Journal::State::on_fault(const StorageError& error) {
  waiting.storing_fails();
  std::string before;
  {
    const std::lock_guard lock(mutex);
    before = std::exchange(fault, error.what());
  }
  if (before != error.what())
    log_error("journal: events are not stored but wait in memory: " + std::string(error.what()) +
              remedy_of(error.fault()));
  try {
    if (error.fault() == StorageFault::kCorrupt) return replace_damaged();
    // After an error of the disk nothing that SQLite holds in memory is to be trusted.
    if (error.fault() != StorageFault::kBusy) open();
  } catch (const StorageError& again) {
    store.reset();
  }
}

void Journal::State::tell_storing() {
  const std::lock_guard lock(mutex);
  if (!std::exchange(fault, {}).empty()) log_info("journal: events are stored again, in their order");
}

void Journal::State::tell_lost() {
  const std::uint64_t lost = waiting.lost(), untold = lost - std::min(lost, std::exchange(told_lost, lost));
  if (const auto count = losses.count(untold, steady_clock::now()))
    log_error(format("journal: {} events were lost, too many waited to be stored", *count));
}

// In steps that hold up nobody.
void Journal::State::remove_old() {
  if (steady_clock::now() < next_removal) return;
  const auto until = steady_clock::now() + kMaxRemovalTime;
  while (steady_clock::now() < until && store->remove_some(options.retention, wall_now()) > 0) {
  }
  next_removal = steady_clock::now() + kBetweenEventRemovals;
}

void Journal::State::store_what_waits(const std::stop_token& stop) {
  const std::vector<SharedMessage> messages = waiting.to_store(stop, steady_clock::now() + kWriterTurn);
  tell_lost();
  try {
    if (!store) open();
    if (!messages.empty()) store->store(messages);
    remove_old();
  } catch (const StorageError& error) {
    on_fault(error);
    std::mutex pausing;
    std::unique_lock lock(pausing);
    std::condition_variable_any().wait_for(lock, stop, options.retry, [] { return false; });
    return;
  }
  if (messages.empty()) return;
  for (const SharedMessage& message : messages) {
    last.sequences[message->topic] = message->sequence;
    last.id = message->id;
  }
  waiting.stored(messages);
  stored += messages.size();
  tell_storing();
}

void Journal::State::write(const std::stop_token& stop) {
  while (!stop.stop_requested()) store_what_waits(stop);
  // What is left has one patience more; a disk that fails gets none.
  const auto until = steady_clock::now() + options.patience;
  while (waiting.unstored() > 0 && steady_clock::now() < until) store_what_waits({});
  if (const std::uint64_t unstored = waiting.unstored(); unstored > 0)
    log_error(format("journal: {} events were not stored", unstored));
}

void Journal::State::send() {
  while (const auto next = waiting.to_send()) {
    SharedMessage message = next->message;
    if (!next->stored) {
      Message unstored = *message;
      unstored.json = marked_unstored(message->json);
      message = std::make_shared<const Message>(std::move(unstored));
    }
    for (EventSink* const sink : sinks) sink->take(message);
  }
}

Journal::Journal(JournalOptions options, std::vector<EventSink*> sinks)
    : state_(std::make_unique<State>(std::move(options), std::move(sinks))) {
  state_->writing = std::jthread([state = state_.get()](const std::stop_token& stop) { state->write(stop); });
  state_->sending = std::jthread([state = state_.get()] { state->send(); });
}

Journal::~Journal() {
  state_->writing.request_stop();
  state_->writing.join();
  state_->waiting.close();
  state_->sending.join();
}

void Journal::take(const SharedMessage& message) {
  state_->waiting.push(message);
}

const EventHistory& Journal::history() const {
  return state_->history;
}

JournalStatus Journal::status() const {
  const std::lock_guard lock(state_->mutex);
  return {.storing = state_->fault.empty(),
          .reason = state_->fault,
          .waiting = state_->waiting.unstored(),
          .lost = state_->waiting.lost()};
}

std::uint64_t Journal::stored() const {
  return state_->stored;
}

}  // namespace palisade
