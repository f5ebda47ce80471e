#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/safetensors.h"
#include "model/whole_file.h"

namespace palisade {

// A checkpoint's weights as this machine packs them, kept on disk so that its next start converts nothing: a
// safetensors file of bytes, whose metadata says what it was made of and has a checksum of each tensor. Used
// by one thread.
class PackedCache {
 public:
  // `origin` names the weights and what packs them. A file of another origin, and one that is damaged, is
  // written anew.
  PackedCache(const std::filesystem::path& file, const std::string& origin);
  ~PackedCache();
  PackedCache(const PackedCache&) = delete;
  PackedCache& operator=(const PackedCache&) = delete;

  // Whether what is asked for can be read; else it is to be kept.
  bool serves() const { return file_.has_value(); }
  // What was kept under that name. Throws ModelError where there is no such thing of that size.
  void read(const std::string& name, std::span<std::byte> out) const;
  // A disk that is full ends the writing and nothing else.
  void keep(const std::string& name, std::span<const std::byte> bytes);
  // Everything has been kept: the file appears, whole. What became of it, for the log.
  std::string finish();

 private:
  struct Entry {
    std::string name;
    std::size_t size;
    std::string checksum;
  };
  bool is_sound(const SafetensorsFile& file) const;
  void write_header();

  std::filesystem::path path_;
  std::string origin_;
  std::optional<SafetensorsFile> file_;
  std::string why_not_;  // the file that is there does not serve, or none can be written
  std::unique_ptr<WholeFile> written_;
  std::vector<Entry> entries_;
};

// Where the packed weights of a model folder stand below `folder`, and what they are made of.
std::filesystem::path packed_file(const std::filesystem::path& folder, const std::filesystem::path& model,
                                  const std::string& precision);
std::string packed_origin(std::span<const std::filesystem::path> weight_files, const std::string& packing);

}  // namespace palisade
