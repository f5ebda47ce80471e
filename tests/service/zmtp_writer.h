#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace palisade {

// Builds messages of ZeroMQ's wire protocol (rfc.zeromq.org/spec/37).

inline std::string big_endian_bytes(std::uint64_t value, std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[bytes - 1 - i] = char(value >> (8 * i));
  return text;
}

inline std::string zmtp_frame(unsigned char flags, std::string_view body) {
  const bool is_long = body.size() > 255;
  std::string frame(1, char(flags | (is_long ? 2 : 0)));
  frame += big_endian_bytes(body.size(), is_long ? 8 : 1);
  return frame.append(body);
}

inline std::string zmtp_greeting() {
  std::string greeting(64, '\0');
  greeting[0] = '\xff';
  greeting[9] = '\x7f';
  greeting[10] = 3;
  greeting[11] = 1;
  return greeting.replace(12, 4, "NULL");
}

inline std::string zmtp_command(std::string_view name, std::string_view body) {
  return zmtp_frame(4, std::string(1, char(name.size())).append(name).append(body));
}

inline std::string zmtp_ready(std::string_view socket_type) {
  const std::string type = big_endian_bytes(socket_type.size(), 4).append(socket_type);
  return zmtp_command("READY", "\x0bSocket-Type" + type);
}

inline std::string zmtp_message(std::initializer_list<std::string_view> parts) {
  std::string frames;
  std::size_t left = parts.size();
  for (const std::string_view part : parts) frames += zmtp_frame(--left > 0 ? 1 : 0, part);
  return frames;
}

}  // namespace palisade
