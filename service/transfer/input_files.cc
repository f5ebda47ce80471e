#include "service/transfer/input_files.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "base/format.h"
#include "base/input_file.h"
#include "base/sha256.h"
#include "ingest/open_source.h"
#include "ingest/pictures/picture.h"
#include "ingest/source/source.h"
#include "service/terminal/progress.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = 1u << 18;
constexpr std::size_t kHexDigits = 64;
constexpr std::size_t kMaxHashLine = 1u << 16;

void decode_first_frame(const fs::path& film) {
  const auto source = open_source({.url = film.string()}, {});
  if (!source->next([](const FrameStamp&) { return true; })) throw Error(film.string() + ": holds no frame");
}

struct Work {
  fs::path file;
  bool video = false;
  bool decode = false;
};

// Every file once.
std::vector<Work> work_of(const std::vector<TransferLine>& lines, const FileHashes& known) {
  std::map<fs::path, bool> files;
  for (const TransferLine& line : lines) {
    for (const fs::path& picture : line.pictures) files.emplace(picture, false);
    if (!line.video.empty()) files.emplace(line.video, true);
  }
  std::vector<Work> work;
  for (const auto& [file, video] : files) work.push_back({file, video, !known.contains(file)});
  return work;
}

}  // namespace

std::string sha256_of(const fs::path& path) {
  InputFile file(path);
  Sha256 hash;
  std::string block(kBlock, '\0');
  while (const std::size_t size = file.read(block)) hash.add(std::as_bytes(std::span(block).first(size)));
  return hash.hex();
}

InputFiles::FileFacts InputFiles::look_at(const fs::path& file, bool video, bool decode) {
  kept_.forget(file);  // it may have changed
  FileFacts found{.size = 0, .changed = {}, .decoded = decode, .sha256 = {}, .problem = {}};
  try {
    found.size = fs::file_size(file);
    found.changed = fs::last_write_time(file);
    if (decode && video) decode_first_frame(file);
    if (decode && !video) kept_.keep_picture(file, read_picture(file));
    found.sha256 = sha256_of(file);
  } catch (const std::exception& error) {
    found.problem = error.what();
  }
  return found;
}

FileHashes InputFiles::read(const std::vector<TransferLine>& lines, const FileHashes& known,
                            LineProblems& problems, const std::string& what, const std::stop_token& stop) {
  std::vector<Work> work = work_of(lines, known);
  std::erase_if(work, [&](const Work& one) {
    const auto seen = found_.find(one.file);
    std::error_code error;
    return seen != found_.end() && (seen->second.decoded || !one.decode) && seen->second.problem.empty() &&
           fs::file_size(one.file, error) == seen->second.size &&
           fs::last_write_time(one.file, error) == seen->second.changed;
  });
  std::vector<FileFacts> results(work.size());
  std::atomic<std::size_t> next = 0, done = 0;
  const auto take = [&] {
    for (std::size_t i; !stop.stop_requested() && (i = next++) < work.size(); ++done)
      results[i] = look_at(work[i].file, work[i].video, work[i].decode);
  };
  Progress progress(what);
  std::vector<std::future<void>> threads;
  for (unsigned k = 0; k < std::clamp(std::thread::hardware_concurrency(), 1u, 8u); ++k)
    threads.push_back(std::async(std::launch::async, take));
  for (auto& thread : threads) {
    while (thread.wait_for(std::chrono::milliseconds(200)) != std::future_status::ready)
      progress.show(double(done) / double(std::max<std::size_t>(work.size(), 1)),
                    format("{} of {} pictures and films looked at", done.load(), work.size()));
    thread.get();
  }
  progress.clear();
  for (std::size_t i = 0; i < work.size(); ++i) {
    if (!results[i].sha256.empty() || !results[i].problem.empty())
      found_[work[i].file] = std::move(results[i]);
  }
  FileHashes hashes;
  for (const TransferLine& line : lines) {
    std::vector<fs::path> files = line.pictures;
    if (!line.video.empty()) files.push_back(line.video);
    for (const fs::path& file : files) {
      const FileFacts& found = found_[file];
      if (!found.problem.empty()) problems.add(line.number, line.place() + ": " + found.problem);
      if (!found.sha256.empty()) hashes[file] = found.sha256;
    }
  }
  return hashes;
}

std::string sha256_lines(const FileHashes& hashes) {
  std::string text;
  for (const auto& [file, hash] : hashes) text += hash + "  " + file.string() + "\n";
  return text;
}

FileHashes read_file_hashes(const fs::path& file) {
  FileHashes hashes;
  LineReader lines(file, kMaxHashLine);
  for (std::string line; lines.next(line);) {
    if (line.size() < kHexDigits + 3 || line.substr(kHexDigits, 2) != "  ")
      throw Error(format("{}:{}: holds no hash and file name", file.string(), lines.number()));
    hashes[line.substr(kHexDigits + 2)] = line.substr(0, kHexDigits);
  }
  return hashes;
}

}  // namespace palisade
