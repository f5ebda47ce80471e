#include "service/journal/frame_journal.h"

#include <algorithm>
#include <cctype>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "service/journal/frame_files.h"

namespace palisade {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kBetweenFrameRemovals{10};
constexpr std::chrono::seconds kAfterFailure{5};
constexpr std::size_t kMaxAtOnce = 64;
constexpr std::uint64_t kPartsOfLimit = 20;  // a file is at most this part of the folder's limit

// A copy whose pixels are its own: features of the model live as long as the original.
Image copied(const Image& image) {
  if (image.is_float())
    return {image.width(), image.height(), std::vector<float>(image.f32().begin(), image.f32().end())};
  return {image.width(), image.height(), std::vector<std::uint8_t>(image.u8().begin(), image.u8().end())};
}

std::uint64_t bytes_below(const std::filesystem::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code gone;
    if (entry->is_regular_file(gone)) bytes += entry->file_size(gone);
  }
  return bytes;
}

// Names of hours, oldest first, with the files of each.
std::vector<std::filesystem::path> files_by_age(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (entry->path().extension() == ".db" && std::isdigit(static_cast<unsigned char>(name[0])))
      files.push_back(entry->path());
  }
  std::ranges::sort(files);
  return files;
}

void remove_whole(const std::filesystem::path& file) {
  std::error_code error;
  for (const char* const beside : {"", "-wal", "-shm"})
    std::filesystem::remove(file.string() + beside, error);
}

}  // namespace

int remove_old_frames(const FrameJournalOptions& options, WallTime now, double free_share) {
  const std::string oldest = hour_name(now - options.stay), current = hour_name(now);
  const auto files = files_by_age(frames_folder(options.folder));
  std::uint64_t used = bytes_below(options.folder);
  int removed = 0;
  for (const auto& file : files) {
    const std::string name = file.stem().string();
    const bool old = name.substr(0, oldest.size()) < oldest;
    const bool last = file == files.back();
    const bool full = used > options.bytes || (free_share < options.free_share && !name.starts_with(current));
    if (!old && (!full || last)) break;
    std::error_code error;
    used -= std::min<std::uint64_t>(used, std::filesystem::file_size(file, error));
    remove_whole(file);
    ++removed;
    if (!old && used <= options.bytes) break;  // one at a time for others' sake: the disk is looked at again
  }
  return removed;
}

struct FrameJournal::State {
  struct Waiting {
    KeptPicture picture;
    WallTime taken;
  };

  explicit State(FrameJournalOptions its_options) : options(std::move(its_options)) {}

  void run(const std::stop_token& stop);
  void store(std::vector<Waiting> frames);
  FrameFile& file_for(WallTime taken);
  void remove_old();

  const FrameJournalOptions options;

  // Used by the thread that calls keep().
  std::string hour;
  std::set<std::pair<std::string, FrameStorage>> known;  // what was taken in this hour

  std::mutex mutex;
  std::condition_variable_any changed;
  std::deque<Waiting> waiting;          // guarded by mutex
  std::size_t bytes = 0;                // guarded by mutex: of waiting
  bool failing = false;                 // guarded by mutex
  steady_clock::time_point next_try{};  // guarded by mutex: after a failure

  // The storing thread's.
  std::optional<FrameFile> file;
  steady_clock::time_point next_removal = steady_clock::now();

  std::jthread thread;
};

// Of the frame's hour, and a further one where the last has grown too large.
FrameFile& FrameJournal::State::file_for(WallTime taken) {
  const auto files = files_of_hour(options.folder, taken);
  const auto wanted = files.back();
  if (!file || file->path() != wanted) file.emplace(wanted);
  if (file->bytes() <= options.bytes / kPartsOfLimit) return *file;
  file.emplace(frames_folder(options.folder) / format("{}-{}.db", hour_name(taken), files.size()));
  return *file;
}

void FrameJournal::State::store(std::vector<Waiting> frames) {
  std::vector<FrameFile::Entry> entries;
  for (const auto& [picture, taken] : frames)
    entries.push_back({picture.sha256, encode_frame(picture.image, picture.how)});
  file_for(frames.front().taken).add(entries);
}

void FrameJournal::State::remove_old() {
  if (steady_clock::now() < next_removal) return;
  std::error_code error;
  const auto space = std::filesystem::space(options.folder, error);
  const double free = error || space.capacity == 0 ? 1 : double(space.available) / double(space.capacity);
  remove_old_frames(options, wall_now(), free);
  next_removal = steady_clock::now() + kBetweenFrameRemovals;
}

void FrameJournal::State::run(const std::stop_token& stop) {
  while (true) {
    std::vector<Waiting> frames;
    {
      std::unique_lock lock(mutex);
      changed.wait_until(lock, stop, next_removal, [this] { return !waiting.empty(); });
      if (waiting.empty() && stop.stop_requested()) return;
      // Those of one hour, which share a file.
      while (!waiting.empty() && frames.size() < kMaxAtOnce &&
             (frames.empty() || hour_name(frames.front().taken) == hour_name(waiting.front().taken))) {
        bytes -= waiting.front().picture.image.bytes().size();
        frames.push_back(std::move(waiting.front()));
        waiting.pop_front();
      }
    }
    std::string fault;
    try {
      remove_old();
      if (!frames.empty()) store(std::move(frames));
    } catch (const Error& error) {
      fault = error.what();
      file.reset();
    }
    bool before = false;
    {
      const std::lock_guard lock(mutex);
      before = std::exchange(failing, !fault.empty());
      if (failing) next_try = steady_clock::now() + kAfterFailure;
    }
    if (!fault.empty() && !before) log_error("journal: frames are not kept: " + fault);
    if (fault.empty() && before) log_info("journal: frames are kept again");
  }
}

FrameJournal::FrameJournal(FrameJournalOptions options)
    : state_(std::make_unique<State>(std::move(options))) {
  state_->thread = std::jthread([state = state_.get()](const std::stop_token& stop) { state->run(stop); });
}

FrameJournal::~FrameJournal() {
  state_->thread.request_stop();
  state_->thread.join();
}

bool FrameJournal::keep(const std::vector<KeptPicture>& pictures) {
  const WallTime now = wall_now();
  if (const std::string hour = hour_name(now); hour != state_->hour) {
    state_->hour = hour;
    state_->known.clear();
  }
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->failing) {
      state_->known.clear();  // some of it was lost
      if (steady_clock::now() < state_->next_try) return false;
    }
  }
  std::vector<State::Waiting> wanted;
  std::size_t bytes = 0;
  for (const KeptPicture& picture : pictures) {
    if (state_->known.contains({picture.sha256, picture.how})) continue;
    wanted.push_back({picture, now});
    bytes += picture.image.bytes().size();
  }
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->bytes + bytes > state_->options.waiting_bytes) return false;
    state_->bytes += bytes;
  }
  for (auto& [picture, taken] : wanted) {
    picture.image = copied(picture.image);
    state_->known.insert({picture.sha256, picture.how});
  }
  const std::lock_guard lock(state_->mutex);
  for (State::Waiting& frame : wanted) state_->waiting.push_back(std::move(frame));
  state_->changed.notify_one();
  return true;
}

}  // namespace palisade
