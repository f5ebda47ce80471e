#include "base/ulid.h"

#include <algorithm>
#include <optional>
#include <random>

namespace palisade {
namespace {

constexpr std::size_t kUlidDigits = 26;
constexpr char kCrockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// The least ULID of a millisecond.
std::string least_of(std::uint64_t time_ms) {
  std::string text(kUlidDigits, '0');
  for (int i = 9; i >= 0; --i, time_ms >>= 5) text[std::size_t(i)] = kCrockford[time_ms & 31];
  return text;
}

std::uint64_t milliseconds_of(WallTime time) {
  const auto since_1970 = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
  return std::uint64_t(std::clamp<std::int64_t>(since_1970, 0, (std::int64_t(1) << 48) - 1));
}

// Nothing where `digit` is none of Crockford's.
std::optional<std::uint8_t> value_of(char digit) {
  const std::size_t at = std::string_view(kCrockford).find(digit);
  if (at == std::string_view::npos) return std::nullopt;
  return std::uint8_t(at);
}

}  // namespace

UlidSource::UlidSource(std::string_view last) {
  if (last.size() != kUlidDigits || last[0] > '7') return;
  for (std::size_t digit = 0; digit < last.size(); ++digit) {
    const auto value = value_of(last[digit]);
    if (!value) return;
    if (digit < 10) {
      time_ms_ = time_ms_ << 5 | *value;
      continue;
    }
    for (std::size_t bit = 0; bit < 5; ++bit) {
      const std::size_t at = (digit - 10) * 5 + bit;
      const auto one = std::uint8_t(*value >> (4 - bit) & 1u);
      random_[at / 8] |= std::uint8_t(one << (7 - at % 8));
    }
  }
  drawn_ = true;
}

void UlidSource::draw() {
  std::random_device device;
  for (std::uint8_t& byte : random_) byte = std::uint8_t(device());
  // With the highest bit 0 increment() cannot overflow in practice.
  random_[0] &= 0x7f;
}

void UlidSource::increment() {
  for (std::size_t i = random_.size(); i-- > 0;) {
    if (++random_[i] != 0) return;
  }
}

std::string UlidSource::next(WallTime now) {
  const std::uint64_t now_ms = milliseconds_of(now);
  if (!drawn_ || now_ms > time_ms_) {
    time_ms_ = now_ms;
    draw();
    drawn_ = true;
  } else {
    increment();
  }
  std::string text = least_of(time_ms_);
  // 80 bits are sixteen digits of five bits.
  for (std::size_t digit = 0; digit < 16; ++digit) {
    unsigned value = 0;
    for (std::size_t bit = digit * 5; bit < digit * 5 + 5; ++bit) {
      value = value << 1 | (random_[bit / 8] >> (7 - bit % 8) & 1u);
    }
    text[10 + digit] = kCrockford[value];
  }
  return text;
}

WallTime ulid_time(std::string_view id) {
  std::int64_t milliseconds = 0;
  if (id.size() != kUlidDigits || id[0] > '7') return {};
  for (const char digit : id.substr(0, 10)) {
    const auto value = value_of(digit);
    if (!value) return {};
    milliseconds = milliseconds << 5 | *value;
  }
  return WallTime(std::chrono::milliseconds(milliseconds));
}

std::string first_ulid(WallTime time) {
  return least_of(milliseconds_of(time));
}

}  // namespace palisade
