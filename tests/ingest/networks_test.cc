#include "ingest/source/networks.h"

#include <doctest/doctest.h>

using namespace palisade;

TEST_CASE("networks are written as addresses with their bits, and nothing else is one") {
  for (const char* const text : {"192.168.0.0/16", "10.0.0.0/8", "0.0.0.0/0", "192.0.2.7", "192.0.2.7/32",
                                 "::/0", "fd00::/8", "::1"}) {
    CAPTURE(text);
    CHECK(network_of(text));
  }
  for (const char* const text :
       {"", "/", "192.168.0.0/", "192.168.0.0/33", "192.168.0.0/-1", "192.168.0.0/x", "192.168.0.1/16",
        "192.168.0.0/16 ", "192.168/16", "camera.example", "fd00::/129", "fd00::1/8", "fe80::1%eth0", "1"}) {
    CAPTURE(text);
    CHECK_FALSE(network_of(text));
  }
}

TEST_CASE("a network holds the addresses that begin as it does, however they are written") {
  const auto in = [](const char* network, const char* address) {
    return holds(*network_of(network), *host_address_of(address));
  };
  CHECK(in("192.168.0.0/16", "192.168.255.1"));
  CHECK_FALSE(in("192.168.0.0/16", "192.169.0.1"));
  CHECK(in("192.168.0.0/16", "::ffff:192.168.1.1"));
  CHECK(in("172.16.0.0/12", "172.31.255.255"));
  CHECK_FALSE(in("172.16.0.0/12", "172.32.0.0"));
  CHECK(in("0.0.0.0/0", "198.51.100.7"));
  CHECK_FALSE(in("0.0.0.0/0", "2001:db8::1"));
  CHECK(in("::1", "::1"));
  CHECK(in("fe80::/10", "fe80::1%eth0"));
}

TEST_CASE("private networks are this machine's and those of a house, not those where clouds tell secrets") {
  for (const char* const address :
       {"127.0.0.1", "10.1.2.3", "172.20.0.1", "192.168.178.20", "::1", "fd12::1"})
    CHECK(holds(private_networks(), *host_address_of(address)));
  for (const char* const address :
       {"169.254.169.254", "8.8.8.8", "0.0.0.0", "100.64.0.1", "2001:db8::1", "::"})
    CHECK_FALSE(holds(private_networks(), *host_address_of(address)));
}
