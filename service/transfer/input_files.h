#pragma once

#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "service/transfer/transfer_lines.h"

namespace palisade {

// SHA-256 by file.
using FileHashes = std::map<std::filesystem::path, std::string>;

// Reads the pictures and films of examples before anything is learnt of them, so that none is found missing,
// broken or too large after hours: each picture is decoded once, and the first frame of each film. Remembers
// what it has read, for the next run of a sweep. One thread's; its own threads share the work.
class InputFiles {
 public:
  // What can't be used goes into `problems`, by line. A file with a hash in `known` was used before: it is
  // hashed and not decoded. Returns the hashes of all that could be read before `stop`.
  FileHashes read(const std::vector<TransferLine>& lines, const FileHashes& known, LineProblems& problems,
                  const std::string& what, const std::stop_token& stop);

 private:
  struct FileFacts {
    std::uintmax_t size = 0;
    std::filesystem::file_time_type changed;
    bool decoded = false;
    std::string sha256;
    std::string problem;
  };
  static FileFacts look_at(const std::filesystem::path& file, bool video, bool decode);
  std::map<std::filesystem::path, FileFacts> found_;
};

// Of a whole file. Throws Error where it can't be read to its end.
std::string sha256_of(const std::filesystem::path& file);
// As sha256sum writes and checks them, "HASH  PATH" a line.
std::string sha256_lines(const FileHashes& hashes);
// Throws Error where the file can't be read or holds anything else.
FileHashes read_file_hashes(const std::filesystem::path& file);

}  // namespace palisade
