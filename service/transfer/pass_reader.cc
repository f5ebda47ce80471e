#include "service/transfer/pass_reader.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "base/random.h"

namespace palisade {
namespace {

unsigned reading_threads() {
  return std::clamp(std::thread::hardware_concurrency(), 1u, 8u);
}

// Enough that every thread has its next example while the last pass was long.
constexpr std::size_t kExamplesAThread = 8;

}  // namespace

PassReader::PassReader(PictureLoader& loader, std::size_t most_bytes)
    : loader_(loader), most_bytes_(most_bytes) {
  for (unsigned k = 0; k < reading_threads(); ++k)
    threads_.emplace_back([this](const std::stop_token& stop) { read(stop); });
}

PassReader::~PassReader() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

bool PassReader::has_room() const {
  if (passes_.empty()) return true;
  // The passes of a run are alike.
  return bytes_ + passes_.back()->bytes <= most_bytes_ && examples_ < kExamplesAThread * threads_.size();
}

void PassReader::add(PassRecords chosen) {
  auto pass = std::make_unique<PendingPass>();
  // A picture of several lines is read and encoded once.
  std::map<std::vector<std::filesystem::path>, std::size_t> known;
  std::optional<std::uint64_t> seed = chosen.seed;
  for (const TransferRecord* const record : chosen.records) {
    const auto same = record->video.empty() ? known.find(record->pictures) : known.end();
    if (same != known.end()) {
      pass->piece_of.push_back(same->second);
      continue;
    }
    if (seed) seed = split_mix(*seed);
    if (record->video.empty()) known[record->pictures] = pass->pieces.size();
    pass->piece_of.push_back(pass->pieces.size());
    pass->pieces.push_back({record, seed, {}, {}});
    pass->bytes += loader_.size_of(*record);
  }
  examples_ += chosen.records.size();
  bytes_ += pass->bytes;
  pass->chosen = std::move(chosen);
  {
    const std::lock_guard lock(mutex_);
    passes_.push_back(std::move(pass));
  }
  added_.notify_all();
}

ReadPass PassReader::next() {
  std::unique_ptr<PendingPass> pass;
  {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return passes_.front()->done == passes_.front()->pieces.size(); });
    pass = std::move(passes_.front());
    passes_.pop_front();
  }
  examples_ -= pass->chosen.records.size();
  bytes_ -= pass->bytes;
  ReadPass read;
  std::vector<std::vector<int>> pictures;  // of each piece
  for (Piece& piece : pass->pieces) {
    if (piece.error) std::rethrow_exception(piece.error);
    pictures.emplace_back();
    for (std::size_t i = 0; i < piece.pictures.values.size(); ++i) {
      pictures.back().push_back(int(read.batch.pictures.size()));
      read.batch.pictures.push_back(std::move(piece.pictures.values[i]));
      read.batch.states.push_back(std::move(piece.pictures.states[i]));
      read.names.push_back(std::move(piece.pictures.names[i]));
    }
  }
  for (std::size_t i = 0; i < pass->chosen.records.size(); ++i) {
    const TransferRecord& record = *pass->chosen.records[i];
    read.batch.examples.push_back({.pictures = pictures[pass->piece_of[i]],
                                   .prompt = record.tokens.prompt,
                                   .suffix = record.tokens.suffix});
  }
  read.chosen = std::move(pass->chosen);
  return read;
}

void PassReader::keep_states(const ReadPass& read, const TrainingPass& pass) {
  if (!loader_.keeps_states()) return;
  for (std::size_t i = 0; i < read.names.size(); ++i) {
    if (!read.batch.states[i]) loader_.keep_states(read.names[i], pass.image_states(int(i)));
  }
}

PassReader::PendingPass* PassReader::unfinished() {
  const auto open =
      std::ranges::find_if(passes_, [](const auto& pass) { return pass->begun < pass->pieces.size(); });
  return open == passes_.end() ? nullptr : open->get();
}

void PassReader::read(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (added_.wait(lock, stop, [&] { return unfinished() != nullptr; }) && !stop.stop_requested()) {
    PendingPass& pass = *unfinished();
    Piece& piece = pass.pieces[pass.begun++];
    lock.unlock();
    try {
      piece.pictures = loader_.load(*piece.record, piece.seed);
    } catch (...) {
      piece.error = std::current_exception();
    }
    lock.lock();
    if (++pass.done == pass.pieces.size()) done_.notify_one();
  }
}

}  // namespace palisade
