#include "ingest/apart.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/format.h"
#include "base/redaction.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kGlance{250};  // how often a silent reader is checked
// A slow disk does not become faster by being asked again, so a file has this many times as long.
constexpr int kFilePatience = 10;

// The readers that were left behind, by address. Never destroyed: their threads outlive everything else.
struct AbandonedReaders {
  std::mutex mutex;
  std::condition_variable_any came_back;
  std::map<std::string, int> readers;  // guarded by mutex
};

AbandonedReaders& all_left_behind() {
  static auto* const all = new AbandonedReaders;
  return *all;
}

SourceError hung(const SourceOptions& options, const std::string& what) {
  return {SourceFault::kHung, redact_text(redact_url(options.url), options.password) + ": " + what};
}

void await_earlier_reader(const SourceOptions& options, const std::stop_token& stop) {
  AbandonedReaders& all = all_left_behind();
  std::unique_lock lock(all.mutex);
  all.came_back.wait_for(lock, stop, options.open_timeout,
                         [&] { return !all.readers.contains(options.url); });
  const auto found = all.readers.find(options.url);
  if (found == all.readers.end() || found->second < kMaxLeftBehind) return;
  throw hung(options, format("{} of its readers hang and have not come back: it is opened again once one has",
                             found->second));
}

// Shared by the reading thread and its caller, who take turns.
struct ReaderState {
  explicit ReaderState(std::string address) : url(std::move(address)) {}

  const std::string url;
  std::mutex mutex;
  std::condition_variable_any turned;
  bool readers_turn = true;        // guarded by mutex, like all members down to `left`
  bool closing = false;            // the caller closes the source
  bool closed = false;             // the source has been destroyed and the reader has ended
  bool left = false;               // the reader was left behind
  const Wanted* wanted = nullptr;  // the caller's function, while next() waits
  std::optional<Frame> frame;
  std::exception_ptr error;
  bool live = false;
  bool stills = false;
  std::string remark;
  std::optional<MediaTime> duration;
  SkippedPictures skipped;
  std::mutex calling;                   // held while the caller's `wanted` runs
  bool cut = false;                     // guarded by calling: `wanted` may not be called any more
  std::atomic<std::uint64_t> signs{0};  // counts signs of life; odd while `wanted` runs
  // What the source said when `wanted` was called; guarded by calling.
  Intake intake;
  std::optional<std::chrono::milliseconds> clock_error;
};

// Marks that the reader is not silent while `wanted` runs, however that ends.
class Sign {
 public:
  explicit Sign(std::atomic<std::uint64_t>& signs) : signs_(signs) { ++signs_; }
  ~Sign() { ++signs_; }
  Sign(const Sign&) = delete;
  Sign& operator=(const Sign&) = delete;

 private:
  std::atomic<std::uint64_t>& signs_;
};

// Runs on the reader's thread.
bool ask_caller(ReaderState& shared, const Source& source, const FrameStamp& stamp) {
  const std::lock_guard lock(shared.calling);
  if (shared.cut) throw SourceError(SourceFault::kInterrupted, "left behind");
  shared.intake = source.intake();
  shared.clock_error = source.clock_error();
  const Sign sign(shared.signs);
  return (*shared.wanted)(stamp);
}

// False when the caller closes the source.
bool await_turn(ReaderState& shared) {
  std::unique_lock lock(shared.mutex);
  shared.turned.wait(lock, [&] { return shared.readers_turn || shared.closing; });
  return !shared.closing;
}

void hand_over(ReaderState& shared, Source* source, std::optional<Frame> frame, std::exception_ptr error) {
  const std::lock_guard lock(shared.mutex);
  shared.frame = std::move(frame);
  shared.error = std::move(error);
  if (source != nullptr) {
    shared.live = source->live();
    shared.stills = source->stills();
    shared.remark = source->remark();
    shared.duration = source->duration();
    shared.skipped.add(source->take_skipped());
  }
  shared.readers_turn = false;
  shared.turned.notify_all();
}

void read_for(ReaderState& shared, Source& source) {
  while (await_turn(shared)) {
    std::optional<Frame> frame;
    std::exception_ptr error;
    try {
      frame = source.next([&](const FrameStamp& stamp) { return ask_caller(shared, source, stamp); });
    } catch (...) {
      error = std::current_exception();
    }
    hand_over(shared, &source, std::move(frame), std::move(error));
  }
}

void come_back(ReaderState& shared) {
  AbandonedReaders& all = all_left_behind();
  const std::lock_guard lock(shared.mutex);
  shared.closed = true;
  shared.turned.notify_all();
  if (!shared.left) return;
  const std::lock_guard lock_all(all.mutex);
  const auto found = all.readers.find(shared.url);
  if (--found->second == 0) all.readers.erase(found);
  all.came_back.notify_all();
}

void run_reader(const std::shared_ptr<ReaderState>& shared, const OpenSource& open,
                const SourceOptions& options, const std::stop_token& stop) {
  {
    std::unique_ptr<Source> source;
    try {
      source = open(options, stop);
      hand_over(*shared, source.get(), std::nullopt, nullptr);
    } catch (...) {
      hand_over(*shared, nullptr, std::nullopt, std::current_exception());
    }
    if (source != nullptr) read_for(*shared, *source);
  }
  come_back(*shared);
}

class ApartSource : public Source {
 public:
  ApartSource(OpenSource open, const SourceOptions& options, std::stop_token stop)
      : options_(options), stop_(std::move(stop)), shared_(std::make_shared<ReaderState>(options.url)) {
    reader_ = std::thread([shared = shared_, open = std::move(open), options, stop_token = stop_] {
      run_reader(shared, open, options, stop_token);
    });
    try {
      await_reader(longest_silence(options_).opening);
    } catch (...) {
      close();
      throw;
    }
  }
  ~ApartSource() override { close(); }

  std::optional<Frame> next(const Wanted& wanted) override {
    {
      const std::lock_guard lock(shared_->mutex);
      shared_->wanted = &wanted;
      shared_->readers_turn = true;
    }
    shared_->turned.notify_all();
    return await_reader(longest_silence(options_).reading);
  }

  bool live() const override { return told(&ReaderState::live); }
  bool stills() const override { return told(&ReaderState::stills); }
  std::string remark() const override { return told(&ReaderState::remark); }
  std::optional<MediaTime> duration() const override { return told(&ReaderState::duration); }
  SkippedPictures take_skipped() override {
    const std::lock_guard lock(shared_->mutex);
    return std::exchange(shared_->skipped, {});
  }
  Intake intake() const override { return shared_->intake; }
  std::optional<std::chrono::milliseconds> clock_error() const override { return shared_->clock_error; }

 private:
  template <typename Value>
  Value told(Value ReaderState::*value) const {
    const std::lock_guard lock(shared_->mutex);
    return (*shared_).*value;
  }

  // The reader's next frame. Rethrows its error; throws as well when it does not come back after a stop, or
  // hangs.
  std::optional<Frame> await_reader(milliseconds longest) {
    std::unique_lock lock(shared_->mutex);
    const auto turned = [&] { return !shared_->readers_turn; };
    if (!await_sign(lock, longest)) {
      lock.unlock();
      leave();
      throw hung(options_, format("its reader hangs: no frame and no word for {} s; it is left behind",
                                  longest.count() / 1000));
    }
    if (!turned() && !shared_->turned.wait_until(lock, patience_ends(), turned)) {
      lock.unlock();
      leave();
      throw SourceError(SourceFault::kInterrupted, redact_text(redact_url(options_.url), options_.password) +
                                                       ": does not come back: its reader is left behind");
    }
    if (shared_->error) std::rethrow_exception(std::exchange(shared_->error, nullptr));
    return std::exchange(shared_->frame, std::nullopt);
  }

  // Waits for the caller's turn or a stop. False where the reader has been silent for too long. Checks are
  // counted instead of time, because this process itself may have been suspended.
  bool await_sign(std::unique_lock<std::mutex>& lock, milliseconds longest) {
    const auto turned = [&] { return !shared_->readers_turn; };
    milliseconds silent{0};
    while (silent < longest) {
      const std::uint64_t before = shared_->signs;
      if (shared_->turned.wait_for(lock, stop_, kGlance, turned) || stop_.stop_requested()) return true;
      const bool asks = before % 2 != 0;
      silent = asks || shared_->signs != before ? milliseconds(0) : silent + kGlance;
    }
    return false;
  }

  void close() {
    if (!reader_.joinable()) return;
    {
      std::unique_lock lock(shared_->mutex);
      shared_->closing = true;
      shared_->turned.notify_all();
      if (shared_->turned.wait_until(lock, patience_ends(), [&] { return shared_->closed; })) {
        lock.unlock();
        return reader_.join();
      }
    }
    leave();
  }

  // When waiting ends, counted from the first wait after a stop or while closing.
  MonotonicTime patience_ends() {
    if (!patience_ends_) patience_ends_ = steady_clock::now() + kPatience;
    return *patience_ends_;
  }

  void leave() {
    {
      const std::lock_guard lock(shared_->calling);
      shared_->cut = true;
    }
    const std::lock_guard lock(shared_->mutex);
    shared_->closing = true;
    shared_->turned.notify_all();
    if (!shared_->closed) {
      shared_->left = true;
      AbandonedReaders& all = all_left_behind();
      const std::lock_guard lock_all(all.mutex);
      ++all.readers[shared_->url];
    }
    reader_.detach();
  }

  const SourceOptions options_;
  const std::stop_token stop_;
  const std::shared_ptr<ReaderState> shared_;
  std::optional<MonotonicTime> patience_ends_;
  std::thread reader_;
};

}  // namespace

LongestSilence longest_silence(const SourceOptions& options) {
  milliseconds quiet = std::max(options.stall_timeout, options.keyframe_timeout);
  if (options.decode == Decode::kKeyframes) quiet = std::max(quiet, kKeyframeStalls * options.stall_timeout);
  // A single picture is fetched once an interval.
  LongestSilence longest{.opening = 3 * options.open_timeout + kPatience,
                         .reading = 2 * quiet + options.open_timeout + options.frame_interval + kPatience};
  if (!names_file(options.url)) return longest;
  return {kFilePatience * longest.opening, kFilePatience * longest.reading};
}

std::unique_ptr<Source> open_apart(OpenSource open, const SourceOptions& options, std::stop_token stop) {
  await_earlier_reader(options, stop);
  return std::make_unique<ApartSource>(std::move(open), options, std::move(stop));
}

int readers_left_behind() {
  AbandonedReaders& all = all_left_behind();
  const std::lock_guard lock(all.mutex);
  int count = 0;
  for (const auto& [url, readers] : all.readers) count += readers;
  return count;
}

int readers_left_behind(const std::string& url) {
  AbandonedReaders& all = all_left_behind();
  const std::lock_guard lock(all.mutex);
  const auto found = all.readers.find(url);
  return found == all.readers.end() ? 0 : found->second;
}

}  // namespace palisade
