// Built without FORTIFY_SOURCE, whose inline definitions of read functions would clash with those here.
#undef _FORTIFY_SOURCE
// A library to be preloaded into a program. It breaks one file while it is read, as
// PALISADE_FILE_FAULT=NAME:BYTE:KIND says. From that byte on reads fail (eio) or never return (hang, which is
// reported on stderr); fsync and fdatasync fail while there is a file NAME.broken beside it (sync); or at the
// first read past its header the file is truncated there (cut) or written to
// (touch). Fortified programs call the _chk variants.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

struct Fault {
  std::string name, kind;
  off_t byte = 0;
  Fault() {
    const char* const text = std::getenv("PALISADE_FILE_FAULT");
    const std::string all = text == nullptr ? "" : text;
    const std::size_t first = all.find(':'), second = all.find(':', first + 1);
    if (second == std::string::npos) return;
    name = all.substr(0, first);
    byte = std::atoll(all.c_str() + first + 1);
    kind = all.substr(second + 1);
  }
};

std::string path_of(int descriptor) {
  char link[64], path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t size = readlink(link, path, sizeof path);
  return size > 0 ? std::string(path, std::size_t(size)) : std::string();
}

[[noreturn]] void hang(const std::string& path) {
  std::fprintf(stderr, "file_faults: %s hangs\n", path.c_str());
  while (true) pause();
}

// Whether what is written to the file cannot be synced.
bool sync_fails(int descriptor) {
  static const Fault fault;
  if (fault.kind != "sync") return false;
  const std::string path = path_of(descriptor);
  return path.ends_with("/" + fault.name) && access((path + ".broken").c_str(), F_OK) == 0;
}

// The number of bytes that a read of `count` bytes at `at` returns; 0 if it fails.
size_t readable(int descriptor, size_t count, off_t at) {
  static const Fault fault;
  if (fault.name.empty() || at < 0) return count;
  const int kept = errno;
  const std::string path = path_of(descriptor);
  if (path.ends_with("/" + fault.name)) {
    const bool stops = fault.kind == "eio" || fault.kind == "hang";
    if (stops && at >= fault.byte) {
      if (fault.kind == "hang") hang(path);
      return 0;
    }
    if (stops && at + off_t(count) > fault.byte) count = size_t(fault.byte - at);
    if (fault.kind == "cut" && at > 8 && truncate(path.c_str(), fault.byte) != 0) std::perror("file_faults");
    if (fault.kind == "touch" && at > 8) utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  }
  errno = kept;
  return count;
}

ssize_t read_at(int descriptor, void* out, size_t count, off_t at) {
  using Real = ssize_t (*)(int, void*, size_t, off_t);
  static const auto real = reinterpret_cast<Real>(dlsym(RTLD_NEXT, "pread64"));
  const size_t allowed = readable(descriptor, count, at);
  if (allowed > 0 || count == 0) return real(descriptor, out, allowed, at);
  errno = EIO;
  return -1;
}

ssize_t read_on(int descriptor, void* out, size_t count) {
  using Real = ssize_t (*)(int, void*, size_t);
  static const auto real = reinterpret_cast<Real>(dlsym(RTLD_NEXT, "read"));
  const int kept = errno;
  const off_t at = lseek(descriptor, 0, SEEK_CUR);  // -1 of a pipe
  errno = kept;
  const size_t allowed = readable(descriptor, count, at);
  if (allowed > 0 || count == 0) return real(descriptor, out, allowed);
  errno = EIO;
  return -1;
}

}  // namespace

extern "C" {

ssize_t read(int descriptor, void* out, size_t count) {
  return read_on(descriptor, out, count);
}
ssize_t __read_chk(int descriptor, void* out, size_t count, size_t) {
  return read_on(descriptor, out, count);
}
ssize_t pread(int descriptor, void* out, size_t count, off_t at) {
  return read_at(descriptor, out, count, at);
}
ssize_t pread64(int descriptor, void* out, size_t count, off64_t at) {
  return read_at(descriptor, out, count, at);
}
ssize_t __pread_chk(int descriptor, void* out, size_t count, off_t at, size_t) {
  return read_at(descriptor, out, count, at);
}
ssize_t __pread64_chk(int descriptor, void* out, size_t count, off64_t at, size_t) {
  return read_at(descriptor, out, count, at);
}

int fsync(int descriptor) {
  static const auto real = reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, "fsync"));
  if (!sync_fails(descriptor)) return real(descriptor);
  errno = EIO;
  return -1;
}
int fdatasync(int descriptor) {
  static const auto real = reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, "fdatasync"));
  if (!sync_fails(descriptor)) return real(descriptor);
  errno = EIO;
  return -1;
}
}
