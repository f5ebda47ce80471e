// Built without it, as its own inline pread would stand here twice.
#undef _FORTIFY_SOURCE
// Preloaded into a program, breaks one file under it while it is read (PALISADE_FILE_FAULT, NAME:BYTE:KIND):
// from that byte on the disk fails (eio), or when it is first read past its header it is cut off there (cut),
// or written to (touch).
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
    byte = std::atol(all.c_str() + first + 1);
    kind = all.substr(second + 1);
  }
};

std::string path_of(int descriptor) {
  char link[64], path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t size = readlink(link, path, sizeof path);
  return size > 0 ? std::string(path, std::size_t(size)) : std::string();
}

ssize_t faulty(int descriptor, void* out, size_t count, off_t at) {
  using Real = ssize_t (*)(int, void*, size_t, off_t);
  static const auto real = reinterpret_cast<Real>(dlsym(RTLD_NEXT, "pread"));
  static const Fault fault;
  const std::string path = fault.name.empty() ? std::string() : path_of(descriptor);
  if (path.size() >= fault.name.size() && !path.empty() && path.ends_with("/" + fault.name)) {
    if (fault.kind == "eio" && at >= fault.byte) {
      errno = EIO;
      return -1;
    }
    if (fault.kind == "eio" && at + off_t(count) > fault.byte) count = size_t(fault.byte - at);
    if (fault.kind == "cut" && at > 8 && truncate(path.c_str(), fault.byte) != 0) std::perror("file_faults");
    if (fault.kind == "touch" && at > 8) utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  }
  return real(descriptor, out, count, at);
}

}  // namespace

extern "C" {

ssize_t pread(int descriptor, void* out, size_t count, off_t at) {
  return faulty(descriptor, out, count, at);
}
ssize_t pread64(int descriptor, void* out, size_t count, off64_t at) {
  return faulty(descriptor, out, count, at);
}
ssize_t __pread_chk(int descriptor, void* out, size_t count, off_t at, size_t) {
  return faulty(descriptor, out, count, at);
}
ssize_t __pread64_chk(int descriptor, void* out, size_t count, off64_t at, size_t) {
  return faulty(descriptor, out, count, at);
}
}
