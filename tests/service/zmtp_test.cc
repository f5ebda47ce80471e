#include "service/zeromq/zmtp.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/service/zmtp_writer.h"

using namespace palisade;

namespace {

constexpr ZmtpLimits kSmallMessages{.message_bytes = 100, .parts = 3};

// A peer that has introduced itself as a SUB, and what it sends after that.
std::string introduced_peer(const std::string& then = {}) {
  return zmtp_greeting() + zmtp_ready("SUB") + then;
}

// What ZmtpReader parses if the bytes come `piece` at a time.
std::vector<ZmtpItem> zmtp_items(const std::string& bytes, std::size_t piece) {
  ZmtpReader reader(kSmallMessages, {"SUB", "XSUB"});
  std::vector<ZmtpItem> items;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    reader.take(std::string_view(bytes).substr(at, piece));
    while (auto item = reader.next()) items.push_back(std::move(*item));
  }
  return items;
}

std::string long_frame(char flags, std::uint64_t size) {
  std::string frame(1, char(flags | 2));
  for (int shift = 56; shift >= 0; shift -= 8) frame += char(size >> shift);
  return frame;
}

}  // namespace

TEST_CASE("zmtp: messages and commands are the same however their bytes are cut") {
  const std::string bytes =
      introduced_peer(zmtp_message({"topic", "body"}) + zmtp_command("PING", std::string("\0\x0a", 2) + "x") +
                      zmtp_message({"", std::string(90, 'y')}));
  for (const std::size_t piece : {std::size_t(1), std::size_t(7), bytes.size()}) {
    CAPTURE(piece);
    const auto items = zmtp_items(bytes, piece);
    REQUIRE(items.size() == 3);
    CHECK(items[0].parts == std::vector<std::string>{"topic", "body"});
    CHECK(items[1].command == "PING");
    CHECK(items[1].parts == std::vector<std::string>{std::string("\0\x0a", 2) + "x"});
    CHECK(items[2].parts == std::vector<std::string>{"", std::string(90, 'y')});
  }
}

TEST_CASE("zmtp: a peer that sends more than it may is a fault before its bytes are there") {
  const std::string part(40, 'x');
  std::string parts;
  for (int i = 0; i < 3; ++i) parts += std::string("\x01\0", 2);
  for (const auto& [what, then] : std::vector<std::pair<const char*, std::string>>{
           {"one part", long_frame(0, 101)},
           {"a part of all there is", long_frame(0, std::uint64_t(-1))},
           {"an unfinished part of all there is", long_frame(1, std::uint64_t(1) << 63)},
           {"parts together", std::string("\x01\x28", 2) + part + std::string("\x01\x28", 2) + part +
                                  std::string("\x01\x28", 2)},
           {"empty parts without an end", parts},
           {"a command", long_frame(4, 4097)}}) {
    CAPTURE(what);
    for (const std::size_t piece : {std::size_t(1), std::size_t(1000)})
      CHECK_THROWS_AS(zmtp_items(introduced_peer(then), piece), ZmtpFault);
  }
}

TEST_CASE("zmtp: what is not the protocol is a fault") {
  std::string old = zmtp_greeting(), curve = zmtp_greeting();
  old[10] = 1;
  curve.replace(12, 5, "CURVE");
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\x01\x00", 2), old, curve,
        std::string(64, '\xff'), zmtp_greeting() + zmtp_ready("PUSH"), zmtp_greeting() + zmtp_message({"x"}),
        zmtp_greeting() + zmtp_command("READY", "\x40"), zmtp_greeting() + zmtp_command("PING", "xx"),
        introduced_peer("\xf0"), introduced_peer(std::string("\x04\x00", 2)),
        introduced_peer(std::string("\x05\x05\x04PING", 7)),
        introduced_peer(std::string("\x04\x01\x09", 3))}) {
    CAPTURE(bytes);
    CHECK_THROWS_AS(zmtp_items(bytes, 1), ZmtpFault);
  }
}

TEST_CASE("zmtp: any bytes end in items or a fault") {
  std::mt19937 random(11);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = introduced_peer(zmtp_message({"a", "b"}) + zmtp_command("SUBSCRIBE", "t"));
    for (int k = 0; k < 4; ++k) bytes[random() % bytes.size()] = char(random());
    try {
      for (const ZmtpItem& item : zmtp_items(bytes, 1 + random() % 20))
        CHECK(item.parts.size() <= kSmallMessages.parts);
    } catch (const ZmtpFault&) {
    }
  }
}
