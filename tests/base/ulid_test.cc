#include "base/ulid.h"

#include <doctest/doctest.h>

#include <string>

using namespace palisade;
using namespace std::chrono_literals;

TEST_CASE("a ULID is 26 digits of Crockford's base 32 that begin with its time") {
  UlidSource source;
  const std::string id = source.next(WallTime(1'469'918'176'385ms));
  CHECK(id.size() == 26);
  CHECK(id.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ") == std::string::npos);
  CHECK(id.substr(0, 10) == "01ARYZ6S41");  // the specification's own example
}

TEST_CASE("ULIDs ascend within a millisecond, and when the clock goes back") {
  UlidSource source;
  std::string last;
  for (int i = 0; i < 3000; ++i) {
    const std::string id = source.next(WallTime(std::chrono::milliseconds(1'000'000 - i / 100 * 50)));
    CHECK(id > last);
    last = id;
  }
}

TEST_CASE("two sources give different ULIDs") {
  UlidSource one, other;
  CHECK(one.next(WallTime(1ms)) != other.next(WallTime(1ms)));
}

TEST_CASE("a time's least ULID comes before those that are made then, and after earlier ones") {
  UlidSource source;
  const std::string earlier = source.next(WallTime(1'999ms)), then = source.next(WallTime(2'000ms));
  CHECK(earlier < first_ulid(WallTime(2'000ms)));
  CHECK(then >= first_ulid(WallTime(2'000ms)));
  CHECK(ulid_time(then) == WallTime(2'000ms));
}

TEST_CASE("ULIDs go on after one of an earlier run, whatever the clock says now") {
  UlidSource first;
  const std::string last = first.next(WallTime(2'000'000'000'000ms));
  UlidSource second(last);
  const std::string next = second.next(WallTime(1'000'000'000'000ms));
  CHECK(next > last);
  CHECK(next.substr(0, 20) == last.substr(0, 20));  // counted up, not drawn anew
  CHECK(second.next(WallTime(3'000'000'000'000ms)) > next);
  for (const char* const none : {"", "no", "ZZZZZZZZZZZZZZZZZZZZZZZZZZ", "01ARYZ6S41 0000000000000000"}) {
    UlidSource source{std::string_view(none)};
    CHECK(source.next(WallTime(1ms)).substr(0, 10) == "0000000001");
  }
}
