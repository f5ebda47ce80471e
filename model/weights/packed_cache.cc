#include "model/weights/packed_cache.h"

#include <atomic>

#include "base/format.h"
#include "base/json.h"
#include "model/error.h"
#include "model/tensor/parallel.h"
#include "model/weights/checksum.h"

namespace palisade {
namespace {

constexpr char kVersion[] = "palisade packed weights 3";
// Room for the header, which is known last; blanks after its JSON are allowed.
constexpr std::size_t kHeaderSize = std::size_t(1) << 20;

std::string metadata_of(const SafetensorsFile& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  return found == file.metadata().end() ? "" : found->second;
}

}  // namespace

PackedCache::PackedCache(const std::filesystem::path& path, const std::string& origin)
    : path_(path), origin_(std::string(kVersion) + "; " + origin) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    try {
      SafetensorsFile file(path);
      if (metadata_of(file, "origin") == origin_) {
        file_.emplace(std::move(file));
        return;
      }
      why_not_ = "was made of other weights, or for another machine";
    } catch (const Error&) {
      why_not_ = "is damaged";
    }
  }
  try {
    std::filesystem::create_directories(path.parent_path(), error);
    written_ = std::make_unique<WholeFile>(path);
    written_->write(std::string(8 + kHeaderSize, ' '));
  } catch (const Error& failure) {
    why_not_ = failure.what();
    written_.reset();
  }
}

bool PackedCache::read(const std::string& name, std::span<std::byte> out) {
  if (!file_) return false;
  const auto found = file_->tensors().find(name);
  if (found == file_->tensors().end() || found->second.byte_count != out.size()) {
    ++damaged_;
    return false;
  }
  const TensorView& kept = found->second;
  constexpr std::size_t kPiece = std::size_t(4) << 20;
  std::atomic<bool> whole = true;
  parallel_for_pieces(out.size(), kPiece, double(out.size()), [&](std::size_t first, std::size_t size) {
    try {
      kept.read(first, out.subspan(first, size));
    } catch (const Error&) {
      whole = false;  // the checkpoint has it as well
    }
    bytes_read_ += size;
  });
  if (whole && checksum(out) == metadata_of(*file_, name)) return true;
  ++damaged_;
  return false;
}

void PackedCache::keep(const std::string& name, std::span<const std::byte> bytes) {
  if (!written_) return;
  try {
    written_->write(bytes);
    entries_.push_back({name, bytes.size(), checksum(bytes)});
  } catch (const Error& failure) {
    why_not_ = failure.what();
    written_.reset();
  }
}

void PackedCache::write_header() {
  Json header, metadata{{"origin", origin_}};
  std::size_t at = 0;
  for (const Entry& entry : entries_) {
    header[entry.name] = {{"dtype", "U8"}, {"shape", {entry.size}}, {"data_offsets", {at, at + entry.size}}};
    metadata[entry.name] = entry.checksum;
    at += entry.size;
  }
  header["__metadata__"] = std::move(metadata);
  const std::string text = header.dump();
  if (text.size() > kHeaderSize) throw ModelError(path_.string() + ": too many tensors for a packed cache");
  const std::uint64_t size = kHeaderSize;
  written_->write_at(0, std::as_bytes(std::span(&size, 1)));
  written_->write_at(8, std::as_bytes(std::span(text)));
}

std::string PackedCache::finish() {
  if (file_) {
    file_.reset();
    if (damaged_ == 0) return "packed weights read from " + path_.string();
    std::error_code error;
    std::filesystem::remove(path_, error);
    return format(
        "packed weights read from {}, but for {} damaged tensors; the file is removed, and the next start "
        "writes it anew",
        path_.string(), damaged_);
  }
  if (written_) {
    try {
      write_header();
      written_->commit();
      written_.reset();
      return "packed weights written to " + path_.string() + " for the next start" +
             (why_not_.empty() ? "" : ": the file that was there " + why_not_);
    } catch (const Error& failure) {
      why_not_ = failure.what();
    }
  }
  return "packed weights are not kept: " + why_not_;
}

std::filesystem::path packed_file(const std::filesystem::path& folder, const std::filesystem::path& model,
                                  const std::string& precision) {
  const std::filesystem::path whole = std::filesystem::weakly_canonical(model);
  const std::string text = whole.string();
  return folder / (whole.filename().string() + "-" + precision + "-" +
                   checksum(std::as_bytes(std::span(text))) + ".safetensors");
}

std::string packed_origin(const WeightFiles& weight_files, const std::string& packing) {
  std::string origin = packing;
  for (const auto& file : weight_files) {
    origin += format("; {}, {} bytes, changed {}", file->path().filename().string(), file->size(),
                     file->changed().time_since_epoch().count());
  }
  return origin;
}

}  // namespace palisade
