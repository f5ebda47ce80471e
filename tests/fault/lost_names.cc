// A library to be preloaded into a program. It makes every lookup of a host named *.lost block for ever, as
// if the name server never answered. Other lookups are not changed.
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
