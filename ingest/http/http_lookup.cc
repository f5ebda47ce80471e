#include "ingest/http/http_lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace palisade {
namespace {

// Shared with the resolver's thread, which may outlive the caller.
struct LookupState {
  std::mutex mutex;
  std::condition_variable_any answered;
  std::optional<Lookup> answer;
};

std::string failure_text(int code) {
  if (code == EAI_NONAME) return "no such host is known: is its name right?";
  if (code == EAI_AGAIN) return "the name server does not answer: try again, or give the host's number";
  return std::string("its host's name cannot be looked up (") + ::gai_strerror(code) +
         "): give the host's number, or mend the name server";
}

}  // namespace

Lookup resolve_by_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  Lookup lookup;
  if (const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); code != 0) {
    lookup.failure = failure_text(code);
    return lookup;
  }
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    std::array<char, NI_MAXHOST> number{};
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, number.data(), number.size(), nullptr, 0,
                      NI_NUMERICHOST) != 0) {
      continue;
    }
    if (std::ranges::find(lookup.addresses, number.data()) == lookup.addresses.end()) {
      lookup.addresses.emplace_back(number.data());
    }
  }
  ::freeaddrinfo(found);
  if (lookup.addresses.empty()) lookup.failure = failure_text(EAI_NONAME);
  return lookup;
}

Lookup look_up(const std::string& host, const Resolve& resolve, const std::stop_token& stop,
               MonotonicTime until) {
  const auto pending = std::make_shared<LookupState>();
  std::thread([pending, host, resolve] {
    Lookup lookup = resolve(host);
    const std::lock_guard lock(pending->mutex);
    pending->answer = std::move(lookup);
    pending->answered.notify_all();
  }).detach();
  std::unique_lock lock(pending->mutex);
  pending->answered.wait_until(lock, stop, until, [&] { return pending->answer.has_value(); });
  if (pending->answer) return *pending->answer;
  return {.failure =
              "its host's name cannot be looked up in time: give the host's number, or mend the name server",
          .in_time = false};
}

bool is_numeric_host(const std::string& host) {
  in_addr v4;
  in6_addr v6;
  const std::string without_zone = host.substr(0, host.find('%'));
  return ::inet_pton(AF_INET, host.c_str(), &v4) == 1 ||
         ::inet_pton(AF_INET6, without_zone.c_str(), &v6) == 1;
}

}  // namespace palisade
