#include "ingest/shared_samples.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "ingest/wire_bytes.h"

namespace palisade {
namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
constexpr int kNeededSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

bool write_whole(int file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(std::size_t(written));
  }
  return true;
}

}  // namespace

Descriptor sealed_memory(std::span<const std::byte> bytes) {
  Descriptor memory(memfd_create("palisade-frame", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory.is_open() || !write_whole(memory.number(), bytes) ||
      fcntl(memory.number(), F_ADD_SEALS, kSeals) != 0)
    return Descriptor();
  return memory;
}

std::shared_ptr<const std::byte> map_sealed(const Descriptor& memory, std::size_t size) {
  const int seals = fcntl(memory.number(), F_GET_SEALS);
  if (seals < 0 || (seals & kNeededSeals) != kNeededSeals) throw WireError("memory that can still change");
  struct stat status {};
  struct statfs system {};
  // Memory of huge pages has seals as well, but may lack pages.
  if (fstatfs(memory.number(), &system) != 0 || system.f_type != TMPFS_MAGIC)
    throw WireError("memory of another kind");
  if (fstat(memory.number(), &status) != 0 || std::size_t(status.st_size) != size || size == 0)
    throw WireError("memory of another size than its image has");
  void* const at = mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, memory.number(), 0);
  if (at == MAP_FAILED) throw WireError("memory that cannot be mapped");
  return {static_cast<const std::byte*>(at),
          [size](const std::byte* mapped) { munmap(const_cast<std::byte*>(mapped), size); }};
}

}  // namespace palisade
