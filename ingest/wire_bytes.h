#pragma once

#include <bit>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"

namespace palisade {

// Bytes that are not what the other end should have sent.
class WireError : public Error {
 public:
  explicit WireError(const std::string& what) : Error("a camera's process sent " + what) {}
};

// Whether times can be subtracted from one another: within centuries of 1970.
template <class Duration>
bool is_wire_time(Duration time) {
  return std::chrono::abs(std::chrono::duration<double>(time)) < std::chrono::hours(24 * 365 * 140);
}

// Values one after another, as this machine has them in memory: both ends are the same program.
class WireWriter {
 public:
  template <class T>
  requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void put(T value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    bytes_.append(bytes, sizeof value);
  }
  template <class Rep, class Period>
  void put(std::chrono::duration<Rep, Period> time) {
    put(std::int64_t(time.count()));
  }
  template <class Clock, class Duration>
  void put(std::chrono::time_point<Clock, Duration> time) {
    put(time.time_since_epoch());
  }
  // Its size, then its bytes.
  void put_text(std::string_view text) {
    put(std::uint32_t(text.size()));
    bytes_ += text;
  }
  template <class T, class Put>
  void put_all(const std::vector<T>& values, Put put_one) {
    put(std::uint32_t(values.size()));
    for (const T& value : values) put_one(value);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads them back. Throws WireError where they are cut short.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  requires std::is_arithmetic_v<T>
  void get(T& value) {
    const std::string_view bytes = take(sizeof value);
    if constexpr (std::is_same_v<T, bool>) {
      value = bytes[0] != 0;
    } else {
      std::memcpy(&value, bytes.data(), sizeof value);
    }
  }
  // `last`: the greatest value that there is.
  template <class T>
  requires std::is_enum_v<T>
  void get(T& value, T last) {
    std::underlying_type_t<T> number{};
    get(number);
    if (number < 0 || number > std::underlying_type_t<T>(last)) throw WireError("a value that there is not");
    value = T(number);
  }
  template <class Rep, class Period>
  void get(std::chrono::duration<Rep, Period>& time) {
    std::int64_t count = 0;
    get(count);
    time = std::chrono::duration<Rep, Period>(Rep(count));
  }
  template <class Clock, class Duration>
  void get(std::chrono::time_point<Clock, Duration>& time) {
    Duration since{};
    get(since);
    time = std::chrono::time_point<Clock, Duration>(since);
  }
  void take_text(std::string& text) {
    std::uint32_t size = 0;
    get(size);
    text = take(size);
  }
  // At most `most` of them.
  template <class T, class Get>
  void take_all(std::vector<T>& values, std::uint32_t most, Get take_one) {
    std::uint32_t count = 0;
    get(count);
    if (count > most) throw WireError("a list that is too long");
    values.clear();
    for (std::uint32_t i = 0; i < count; ++i) take_one(values.emplace_back());
  }
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) throw WireError("a message that is cut short");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  // Throws WireError where something is left.
  void end() const {
    if (!rest_.empty()) throw WireError("a message that goes on behind its end");
  }

 private:
  std::string_view rest_;
};

}  // namespace palisade
