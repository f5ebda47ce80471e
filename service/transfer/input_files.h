#pragma once

#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "service/transfer/kept_pictures.h"
#include "service/transfer/transfer_lines.h"

namespace palisade {

// Hex SHA-256 by path.
using FileHashes = std::map<std::filesystem::path, std::string>;

// Decodes every picture and the first frame of every film before training begins, so that a missing or broken
// one is found at once. Remembers the result for the next run of a sweep, and keeps the decoded pictures as
// far as kept() has room. Used by one thread; its own threads share the work.
class InputFiles {
 public:
  // Adds unusable files to `problems`, by line. A file in `known` was used before, so it is hashed and not
  // decoded. Returns the hashes of all files read before `stop`.
  FileHashes read(const std::vector<TransferLine>& lines, const FileHashes& known, LineProblems& problems,
                  const std::string& what, const std::stop_token& stop);

  // What was decoded, for the epochs that follow. begin() tells it how.
  KeptPictures& kept() { return kept_; }

 private:
  struct FileFacts {
    std::uintmax_t size = 0;
    std::filesystem::file_time_type changed;
    bool decoded = false;
    std::string sha256;
    std::string problem;
  };
  FileFacts look_at(const std::filesystem::path& file, bool video, bool decode);

  std::map<std::filesystem::path, FileFacts> found_;
  KeptPictures kept_;
};

// Hashes a whole file. Throws Error where it cannot be read to its end.
std::string sha256_of(const std::filesystem::path& file);
// In the format of sha256sum: "HASH PATH" lines.
std::string sha256_lines(const FileHashes& hashes);
// The inverse. Throws Error where the file cannot be read or holds anything else.
FileHashes read_file_hashes(const std::filesystem::path& file);

}  // namespace palisade
