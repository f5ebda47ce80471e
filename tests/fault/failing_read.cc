// Built without FORTIFY_SOURCE, as its own inline read would stand here twice.
#undef _FORTIFY_SOURCE
// Preloaded by tests: the file whose name ends in FAIL_READ can be read up to byte FAIL_AFTER, and then fails
// with EIO, as a disk that dies does. Fortified programs read by the _chk variants.
#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

// How much of a read of `size` bytes at `offset` succeeds; 0 where it fails.
size_t readable(int descriptor, size_t size, off_t offset) {
  const char* const name = std::getenv("FAIL_READ");
  const char* const after = std::getenv("FAIL_AFTER");
  if (name == nullptr || offset < 0) return size;
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t length = readlink(link.c_str(), path, sizeof path);
  const std::size_t wanted = std::strlen(name);
  if (length < ssize_t(wanted) || std::memcmp(path + length - wanted, name, wanted) != 0) return size;
  const off_t left = (after ? std::atoll(after) : 0) - offset;
  return left <= 0 ? 0 : std::min(size, size_t(left));
}

using Read = ssize_t (*)(int, void*, size_t);
using ReadAt = ssize_t (*)(int, void*, size_t, off_t);

ssize_t read_some(int descriptor, void* into, size_t size) {
  static const Read real = Read(dlsym(RTLD_NEXT, "read"));
  const int kept = errno;
  const off_t offset = lseek(descriptor, 0, SEEK_CUR);
  errno = kept;
  const size_t allowed = readable(descriptor, size, offset);
  if (allowed == 0 && size > 0) {
    errno = EIO;
    return -1;
  }
  return real(descriptor, into, allowed);
}

ssize_t read_at(int descriptor, void* into, size_t size, off_t offset) {
  static const ReadAt real = ReadAt(dlsym(RTLD_NEXT, "pread64"));
  const size_t allowed = readable(descriptor, size, offset);
  if (allowed == 0 && size > 0) {
    errno = EIO;
    return -1;
  }
  return real(descriptor, into, allowed, offset);
}

}  // namespace

extern "C" {

ssize_t read(int descriptor, void* into, size_t size) {
  return read_some(descriptor, into, size);
}
ssize_t __read_chk(int descriptor, void* into, size_t size, size_t) {
  return read_some(descriptor, into, size);
}
ssize_t pread(int descriptor, void* into, size_t size, off_t offset) {
  return read_at(descriptor, into, size, offset);
}
ssize_t pread64(int descriptor, void* into, size_t size, off_t offset) {
  return read_at(descriptor, into, size, offset);
}
ssize_t __pread_chk(int descriptor, void* into, size_t size, off_t offset, size_t) {
  return read_at(descriptor, into, size, offset);
}
ssize_t __pread64_chk(int descriptor, void* into, size_t size, off_t offset, size_t) {
  return read_at(descriptor, into, size, offset);
}

}  // extern "C"
