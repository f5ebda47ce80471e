#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/whole_file.h"
#include "model/weights/safetensors.h"
#include "model/weights/weight_files.h"

namespace palisade {

// A checkpoint's weights as this machine packs them, kept on disk so that its next start converts nothing: a
// safetensors file of bytes, whose metadata says what it was made of and has a checksum of each tensor. Used
// by one thread.
class PackedCache {
 public:
  // `origin` names the weights and what packs them. A file of another origin, and one whose header is
  // damaged, is written anew.
  PackedCache(const std::filesystem::path& file, const std::string& origin);
  PackedCache(const PackedCache&) = delete;
  PackedCache& operator=(const PackedCache&) = delete;

  // Whether there is a file to read from; else what is packed is to be kept.
  bool serves() const { return file_.has_value(); }
  const std::filesystem::path& path() const { return path_; }
  // So far, from the file. Any thread.
  std::size_t bytes_read() const { return bytes_read_; }
  // What was kept under that name; false where it is damaged, or nothing is read. Throws Error where
  // there is no such thing of that size.
  bool read(const std::string& name, std::span<std::byte> out);
  // Nothing is written beside a file that is read. A disk that is full ends the writing and nothing else.
  void keep(const std::string& name, std::span<const std::byte> bytes);
  // Everything has been kept: the file appears, whole; one that is damaged goes, so that the next start
  // writes another. What became of it, for the log.
  std::string finish();

 private:
  struct Entry {
    std::string name;
    std::size_t size;
    std::string checksum;
  };
  void write_header();

  std::filesystem::path path_;
  std::string origin_;
  std::optional<SafetensorsFile> file_;
  int damaged_ = 0;  // tensors of it
  std::atomic<std::size_t> bytes_read_ = 0;
  std::string why_not_;  // the file that is there does not serve, or none can be written
  std::unique_ptr<WholeFile> written_;
  std::vector<Entry> entries_;
};

// Where the packed weights of a model folder stand below `folder`, and what they are made of.
std::filesystem::path packed_file(const std::filesystem::path& folder, const std::filesystem::path& model,
                                  const std::string& precision);
std::string packed_origin(const WeightFiles& weight_files, const std::string& packing);

}  // namespace palisade
