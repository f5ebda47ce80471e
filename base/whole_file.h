#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "base/partial_file.h"

namespace palisade {

// Writes a file so that it appears complete or not at all: writes go to NAME.partial until commit() syncs it
// to the disk and renames it. Without commit() nothing is left behind. Throws Error with the file's name and
// the system's message (such as a full disk).
class WholeFile {
 public:
  explicit WholeFile(const std::filesystem::path& path);
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  void write(std::span<const std::byte> bytes);
  // Overwrites bytes that have been written before.
  void write_at(std::size_t offset, std::span<const std::byte> bytes);
  // Nobody but its owner may read it. Before anything is written.
  void make_private();
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  void commit();

 private:
  [[noreturn]] void fail(const char* what);
  PartialFile file_;
};

void write_whole_file(const std::filesystem::path& path, std::string_view text);
// The same, for its owner alone to read (0600) from its first byte on.
void write_private_file(const std::filesystem::path& path, std::string_view text);
// Appends a line to a file in one write, so that lines of several processes do not mix.
void append_line(const std::filesystem::path& path, std::string_view line);

}  // namespace palisade
