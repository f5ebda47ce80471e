#include "service/bench/memory.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>

#include "base/error.h"
#include "base/format.h"
#include "model/tensor/layer_slices.h"
#include "model/tensor/memory.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

// Reads a line "NAME: 123 kB" of a file such as /proc/meminfo.
std::optional<std::uint64_t> kilobytes_line(const fs::path& file, std::string_view name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(name)) return std::strtoull(line.c_str() + name.size(), nullptr, 10) * 1024;
  }
  return std::nullopt;
}

// Bytes that a limit on the address space (ulimit -v) leaves.
std::uint64_t left_of_address_space(const fs::path& root) {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnlimited;
  const std::uint64_t taken = kilobytes_line(root / "proc/self/status", "VmSize:").value_or(0);
  return limit.rlim_cur - std::min<std::uint64_t>(limit.rlim_cur, taken);
}

// Reads a file of one number; nothing where it is missing or says "max".
std::optional<std::uint64_t> number_in(const fs::path& file) {
  std::ifstream in(file);
  std::uint64_t number = 0;
  if (in >> number) return number;
  return std::nullopt;
}

// Bytes of file pages that the kernel would drop for others.
std::uint64_t reclaimable_in(const fs::path& group, std::string_view key) {
  std::ifstream in(group / "memory.stat");
  std::string name;
  for (std::uint64_t bytes = 0; in >> name >> bytes;) {
    if (name == key) return bytes;
  }
  return 0;
}

// The least that a control group and its ancestors up to `top` leave.
std::uint64_t left_in_groups(fs::path group, const fs::path& top, const char* limit_file,
                             const char* usage_file, std::string_view reclaimable) {
  std::uint64_t left = kUnlimited;
  for (;; group = group.parent_path()) {
    const auto limit = number_in(group / limit_file), used = number_in(group / usage_file);
    if (limit && used) {
      const std::uint64_t taken = *used - std::min(*used, reclaimable_in(group, reclaimable));
      left = std::min(left, *limit - std::min(*limit, taken));
    }
    if (group == top || !group.has_relative_path()) return left;
  }
}

std::string gigabytes(std::uint64_t bytes) {
  return format("{:.1f} GB", double(bytes) / 1e9);
}

}  // namespace

std::uint64_t available_memory(const fs::path& root) {
  // Without /proc no limit is known.
  std::uint64_t available =
      std::min(kilobytes_line(root / "proc/meminfo", "MemAvailable:").value_or(kUnlimited),
               left_of_address_space(root));
  const fs::path groups = root / "sys/fs/cgroup";
  std::ifstream in(root / "proc/self/cgroup");
  // "0::/path" (version 2) or "4:memory:/path" (version 1); in a container the path may not be there.
  for (std::string line; std::getline(in, line);) {
    const bool second = line.starts_with("0::");
    const std::size_t first_version = line.find(":memory:");
    if (!second && first_version == std::string::npos) continue;
    const std::string path = line.substr(second ? 3 : first_version + 8);
    const fs::path top = second ? groups : groups / "memory";
    std::error_code error;
    fs::path group = top / fs::path(path).relative_path();
    if (path == "/" || !fs::is_directory(group, error)) group = top;
    available = std::min(available,
                         second ? left_in_groups(group, top, "memory.max", "memory.current", "inactive_file")
                                : left_in_groups(group, top, "memory.limit_in_bytes", "memory.usage_in_bytes",
                                                 "total_inactive_file"));
  }
  return available;
}

std::uint64_t resident_memory() {
  return kilobytes_line("/proc/self/status", "VmRSS:").value_or(0);
}

std::uint64_t peak_memory() {
  return kilobytes_line("/proc/self/status", "VmHWM:").value_or(0);
}

bool forget_peak() {
  std::ofstream out("/proc/self/clear_refs");
  out << 5 << std::flush;
  return bool(out);
}

std::uint64_t weight_memory(const ModelConfig& config, double bytes_per_weight) {
  const std::uint64_t embedding = std::uint64_t(config.text.vocabulary) * config.text.width;
  // A head is packed beside the embedding, whether it is tied to it or not.
  const std::uint64_t packed = config.parameter_count() - (config.text.own_head ? embedding : 0);
  return embedding * (bytes_per_weight == 4 ? 4 : 2) + std::uint64_t(bytes_per_weight * double(packed));
}

std::uint64_t memory_needed(const ModelConfig& config, int positions, double bytes_per_weight) {
  const TextConfig& text = config.text;
  const std::uint64_t width = text.width, mlp = text.mlp_width;
  const std::uint64_t largest = 2 * mlp * width;  // gate and up
  const std::uint64_t keys = std::uint64_t(2) * text.layers * text.kv_heads * text.head_dim;
  const std::uint64_t q_width = std::uint64_t(text.heads) * text.head_dim;
  // Rows that are kept for all positions, and rows of one slice.
  const std::uint64_t rows = std::uint64_t(positions) * (keys + width + q_width);
  const std::uint64_t slice =
      std::min<std::uint64_t>(positions, LayerSlices::kMaxRows) * (3 * mlp + 3 * width + 2 * q_width);
  return weight_memory(config, bytes_per_weight) + std::uint64_t(bytes_per_weight * double(largest)) +
         sizeof(float) * (rows + slice) + kMaxKeptMemory;
}

void require_memory(std::string_view what, std::uint64_t needed, std::uint64_t available) {
  if (needed <= available) return;
  throw UsageError(std::string(what) + " needs " + gigabytes(needed) + " of memory, and " +
                   gigabytes(available) +
                   " are available; take --precision int8 or a smaller model, or make room");
}

std::optional<std::string> tell_memory(std::string_view what, const ModelConfig& config,
                                       std::string_view precision, double bytes_per_weight,
                                       std::uint64_t available) {
  const int positions = std::min(16 * config.image_tokens(), config.text.max_position_embeddings);
  const std::uint64_t needed = memory_needed(config, positions, bytes_per_weight);
  require_memory(std::string(what) + " in " + std::string(precision), weight_memory(config, bytes_per_weight),
                 available);
  if (needed <= available) return std::nullopt;
  return std::string(what) + " in " + std::string(precision) + " needs about " + gigabytes(needed) +
         " of memory with 16 images, and " + gigabytes(available) +
         " are available: it may be slow or be ended by the system; take --precision int8 or a smaller "
         "model, or make room";
}

}  // namespace palisade
