#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "base/partial_file.h"

namespace palisade {

// A file that appears whole or not at all: what is written stands in NAME.partial beside it until commit(),
// which syncs it to the disk and renames it. Throws Error naming the file and what the system says (a
// full disk); without a commit nothing is left behind.
class WholeFile {
 public:
  explicit WholeFile(const std::filesystem::path& path);
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  void write(std::span<const std::byte> bytes);
  // Over what has been written already.
  void write_at(std::size_t offset, std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  void commit();

 private:
  [[noreturn]] void fail(const char* what);
  PartialFile file_;
};

void write_whole_file(const std::filesystem::path& path, std::string_view text);
// Adds a line to a file, in one write.
void append_line(const std::filesystem::path& path, std::string_view line);

}  // namespace palisade
