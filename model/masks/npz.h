#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/read_file.h"

namespace palisade {

// An array of a .npz file: f32, row-major.
struct NpyArray {
  std::vector<std::int64_t> shape;
  std::vector<float> values;

  std::string shape_text() const;  // "[16, 64]"
};

// An open .npz file: a zip archive of .npy arrays (NumPy's format, versions 1 to 3). Its directory has been
// checked whole; an array is read, expanded and checked against its CRC when it is asked for. The file is not
// trusted: what it says of sizes is compared with what is there before memory is taken. All of these throw
// ModelError naming file and array. Used by one thread.
class NpzFile {
 public:
  static constexpr std::size_t kMaxBytes = 64u << 20;  // of the file, and of an expanded array
  static constexpr std::size_t kMaxArrays = 4096;

  explicit NpzFile(const std::filesystem::path& path);

  bool contains(const std::string& name) const { return entries_.contains(name); }
  // By the name that it was saved as, "decoder.0.weight".
  NpyArray array(const std::string& name) const;
  std::vector<std::string> names() const;

 private:
  // A file of the archive, as its directory has it.
  struct Entry {
    std::uint32_t crc = 0;
    bool deflated = false;
    std::size_t stored = 0;    // bytes in the archive
    std::size_t expanded = 0;  // bytes of the .npy
    std::size_t header = 0;    // where its local header begins
  };
  [[noreturn]] void refuse(const std::string& what) const;
  std::vector<std::byte> bytes_of(const std::string& name, const Entry& entry) const;

  std::filesystem::path path_;
  std::vector<std::byte> file_;
  std::map<std::string, Entry> entries_;
};

}  // namespace palisade
