#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace palisade {

// A file that appears whole or not at all: what is written stands in NAME.partial beside it until commit(),
// which syncs it to the disk and renames it. Throws ModelError naming the file and what the system says (a
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
  std::filesystem::path path_;
  std::filesystem::path partial_;
  int descriptor_ = -1;
};

void write_whole_file(const std::filesystem::path& path, std::string_view text);
// Makes a rename inside the folder last, as far as the system can.
void sync_folder(const std::filesystem::path& folder);

}  // namespace palisade
