#include "base/sha256.h"

#include <doctest/doctest.h>

#include <string_view>

using namespace palisade;

TEST_CASE("SHA-256 gives the standard's own example") {
  const std::string_view text = "abc";
  CHECK(sha256_hex(std::as_bytes(std::span(text))) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a hash grown piece by piece is the hash of the whole") {
  const std::string_view text = "a longer text in several pieces";
  Sha256 hash;
  for (const char& c : text) hash.add(std::as_bytes(std::span(&c, 1)));
  CHECK(hash.hex() == sha256_hex(std::as_bytes(std::span(text))));
}
