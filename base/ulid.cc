#include "base/ulid.h"

#include <algorithm>
#include <random>

namespace palisade {
namespace {

constexpr char kCrockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

}  // namespace

void UlidSource::draw() {
  std::random_device device;
  for (std::uint8_t& byte : random_) byte = std::uint8_t(device());
  // Room to count up from: increment() can then not overflow in practice.
  random_[0] &= 0x7f;
}

void UlidSource::increment() {
  for (std::size_t i = random_.size(); i-- > 0;) {
    if (++random_[i] != 0) return;
  }
}

std::string UlidSource::next(WallTime now) {
  const auto since_1970 = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const auto now_ms = std::uint64_t(std::clamp<std::int64_t>(since_1970, 0, (std::int64_t(1) << 48) - 1));
  if (!drawn_ || now_ms > time_ms_) {
    time_ms_ = now_ms;
    draw();
    drawn_ = true;
  } else {
    increment();
  }
  std::string text(26, '0');
  std::uint64_t time = time_ms_;
  for (int i = 9; i >= 0; --i, time >>= 5) text[std::size_t(i)] = kCrockford[time & 31];
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

}  // namespace palisade
