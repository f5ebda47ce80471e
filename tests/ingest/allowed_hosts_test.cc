#include "ingest/allowed_hosts.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

using namespace palisade;

namespace {

struct AddressOf {
  sockaddr_storage value{};
  socklen_t length = 0;
};

AddressOf ip(const std::string& host, int port) {
  AddressOf address;
  auto* const four = reinterpret_cast<sockaddr_in*>(&address.value);
  auto* const six = reinterpret_cast<sockaddr_in6*>(&address.value);
  if (inet_pton(AF_INET, host.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(std::uint16_t(port));
    address.length = sizeof *four;
  } else {
    REQUIRE(inet_pton(AF_INET6, host.c_str(), &six->sin6_addr) == 1);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(std::uint16_t(port));
    address.length = sizeof *six;
  }
  return address;
}

AddressOf unix_path(const std::string& path) {
  AddressOf address;
  auto* const at = reinterpret_cast<sockaddr_un*>(&address.value);
  at->sun_family = AF_UNIX;
  std::memcpy(at->sun_path, path.data(), path.size());
  address.length = socklen_t(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

bool connects(AllowedHosts& hosts, const AddressOf& to) {
  const bool may = hosts.may_connect(to.value, to.length);
  if (to.value.ss_family == AF_INET || to.value.ss_family == AF_INET6)
    CHECK(hosts.may_send(to.value, to.length) == may);
  return may;
}

HostAddress host_address(const std::string& text) {
  HostAddress address{};
  REQUIRE(inet_pton(AF_INET6, text.c_str(), address.data()) == 1);
  return address;
}

}  // namespace

TEST_CASE("a source's hosts are its own and those of redirect_hosts, without ports and log-in") {
  using Hosts = std::vector<std::string>;
  CHECK(hosts_of({.url = "rtsp://u:p@Camera.Example:8554/x",
                  .redirect_hosts = {"b", "[2001:db8::1]:80", "c:81"}}) ==
        Hosts{"camera.example", "b", "2001:db8::1", "c"});
  CHECK(hosts_of({.url = "rtsps://[2001:db8::2]/x"}) == Hosts{"2001:db8::2"});
  CHECK(hosts_of({.url = "/srv/film.mp4"}).empty());
  CHECK(hosts_of({.url = "file:///srv/film.mp4"}).empty());
  CHECK(hosts_of({.url = "v4l2:/dev/video0"}).empty());
}

TEST_CASE("an address that stands in the configuration is reached at any port, and no other, nor any name") {
  int look_ups = 0;
  AllowedHosts hosts({"192.0.2.7", "2001:db8::1"}, [&](const std::string&) {
    ++look_ups;
    return std::vector<HostAddress>{};
  });
  CHECK(connects(hosts, ip("192.0.2.7", 554)));
  CHECK(connects(hosts, ip("192.0.2.7", 40'000)));
  CHECK(connects(hosts, ip("::ffff:192.0.2.7", 554)));
  CHECK(connects(hosts, ip("2001:db8::1", 554)));
  for (const char* const other :
       {"192.0.2.8", "0.0.0.0", "127.0.0.1", "::", "::1", "2001:db8::2", "::192.0.2.7"})
    CHECK_FALSE(connects(hosts, ip(other, 554)));
  CHECK_FALSE(connects(hosts, ip("127.0.0.53", 53)));
  CHECK_FALSE(connects(hosts, unix_path("/run/avahi-daemon/socket")));
  CHECK(look_ups == 0);
}

TEST_CASE("a host's name is looked up when an unknown address is asked for, seldom, and what it was stays") {
  int look_ups = 0;
  AllowedHosts hosts({"camera.example"}, [&](const std::string& name) {
    CHECK(name == "camera.example");
    ++look_ups;
    return std::vector{host_address("::ffff:192.0.2.7"), host_address("2001:db8::1")};
  });
  CHECK(connects(hosts, ip("192.0.2.7", 554)));
  CHECK(connects(hosts, ip("2001:db8::1", 554)));
  CHECK(look_ups == 1);
  for (int i = 0; i < 1'000; ++i) CHECK_FALSE(connects(hosts, ip("192.0.2.8", 554)));
  CHECK(look_ups <= 2);  // unless a thousand questions took seconds
  CHECK(connects(hosts, ip("127.0.0.53", 53)));
  CHECK_FALSE(connects(hosts, ip("127.0.0.53", 54)));
  CHECK_FALSE(connects(hosts, ip("192.0.2.53", 53)));
  CHECK(connects(hosts, unix_path("/run/systemd/resolve/io.systemd.Resolve")));
  CHECK_FALSE(connects(hosts, unix_path("/run/dbus/system_bus_socket")));
  CHECK_FALSE(connects(hosts, unix_path("")));  // an abstract one
}

TEST_CASE("addresses outside the networks are never reached, by number or by a name that leads there") {
  const std::vector<Network> networks{*network_of("192.168.0.0/16"), *network_of("fd00::/8")};
  AllowedHosts numbers({"192.168.1.2", "198.51.100.7"}, networks);
  CHECK(connects(numbers, ip("192.168.1.2", 554)));
  CHECK_FALSE(connects(numbers, ip("198.51.100.7", 554)));
  std::vector<HostAddress> answer{host_address("::ffff:169.254.169.254"), host_address("::1")};
  AllowedHosts named(
      {"camera.example"}, [&](const std::string&) { return answer; }, networks);
  CHECK_FALSE(connects(named, ip("169.254.169.254", 80)));
  CHECK_FALSE(connects(named, ip("::1", 80)));
  answer.push_back(host_address("fd00::7"));
  AllowedHosts moved(
      {"camera.example"}, [&](const std::string&) { return answer; }, networks);
  CHECK(connects(moved, ip("fd00::7", 554)));
  CHECK_FALSE(connects(moved, ip("169.254.169.254", 80)));
}

TEST_CASE("the kernel's own messages and the end of a connection are let be; an address cut short is not") {
  AllowedHosts hosts({"192.0.2.7"});
  AddressOf kernel;
  auto& netlink = reinterpret_cast<sockaddr_nl&>(kernel.value);
  netlink.nl_family = AF_NETLINK;
  kernel.length = sizeof netlink;
  CHECK(hosts.may_send(kernel.value, kernel.length));
  netlink.nl_pid = 1;
  CHECK_FALSE(hosts.may_send(kernel.value, kernel.length));
  AddressOf none = ip("192.0.2.8", 554);
  none.value.ss_family = AF_UNSPEC;
  CHECK(hosts.may_connect(none.value, none.length));
  CHECK_FALSE(hosts.may_send(none.value, none.length));  // for which the kernel takes AF_INET
  AddressOf cut = ip("192.0.2.7", 554);
  CHECK_FALSE(hosts.may_connect(cut.value, 7));
}
