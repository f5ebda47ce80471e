// Preloaded into a program, makes every look-up of a host named *.lost wait for ever, as one does whose name
// server takes questions and never answers. Other names are looked up as ever.
#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

#include <string_view>

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  using Real = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Real>(dlsym(RTLD_NEXT, "getaddrinfo"));
  while (node != nullptr && std::string_view(node).ends_with(".lost")) pause();
  return real(node, service, hints, result);
}
