// Preloaded by tests: reading the file whose name ends in FAIL_READ fails with EIO once FAIL_AFTER bytes of
// it have been read, as a disk that dies does.
#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

bool fails(int descriptor, off_t offset) {
  const char* const name = std::getenv("FAIL_READ");
  const char* const after = std::getenv("FAIL_AFTER");
  if (name == nullptr || offset < (after ? std::atoll(after) : 0)) return false;
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t length = readlink(link.c_str(), path, sizeof path);
  const std::size_t wanted = std::strlen(name);
  return length >= ssize_t(wanted) && std::memcmp(path + length - wanted, name, wanted) == 0;
}

using Read = ssize_t (*)(int, void*, size_t);
using ReadAt = ssize_t (*)(int, void*, size_t, off_t);

ssize_t read_at(const char* name, int descriptor, void* into, size_t size, off_t offset) {
  if (fails(descriptor, offset)) {
    errno = EIO;
    return -1;
  }
  return ReadAt(dlsym(RTLD_NEXT, name))(descriptor, into, size, offset);
}

}  // namespace

extern "C" ssize_t read(int descriptor, void* into, size_t size) {
  static const Read real = Read(dlsym(RTLD_NEXT, "read"));
  const int kept = errno;
  const off_t offset = lseek(descriptor, 0, SEEK_CUR);
  errno = kept;
  if (offset >= 0 && fails(descriptor, offset)) {
    errno = EIO;
    return -1;
  }
  return real(descriptor, into, size);
}

extern "C" ssize_t pread(int descriptor, void* into, size_t size, off_t offset) {
  return read_at("pread", descriptor, into, size, offset);
}

extern "C" ssize_t pread64(int descriptor, void* into, size_t size, off_t offset) {
  return read_at("pread64", descriptor, into, size, offset);
}
