#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "frames/orientation.h"

namespace palisade {

// Keeps track of the display orientation SEI messages in an H.264 or H.265 stream, which say how pictures are
// to be turned. Some apply to one picture; most apply until the next such message or until a sequence begins
// without one, while decoders report them only with the picture that carries them. Not thread-safe.
class SeiOrientation {
 public:
  enum class Codec { kH264, kH265 };

  SeiOrientation() = default;
  // `length_bytes`: size of the length field before each NAL unit, as in MP4; 0 if start codes separate the
  // units.
  SeiOrientation(Codec codec, int length_bytes) : codec_(codec), length_bytes_(length_bytes) {}
  // For a stream whose codec extra data says how NAL units are separated; empty data means start codes.
  static SeiOrientation of_extra_data(Codec codec, std::span<const std::byte> extra_data);

  // The orientation of this packet's picture; nothing if the stream does not say. Malformed packets are
  // harmless.
  std::optional<Orientation> next(std::span<const std::byte> packet);

 private:
  void note_units(std::span<const std::byte> packet);
  void note_unit(std::span<const std::byte> unit);
  void note_messages(std::span<const std::byte> payload);

  std::optional<Codec> codec_;
  int length_bytes_ = 0;
  std::optional<Orientation> lasting_;
  std::optional<Orientation> now_;  // of the current packet's picture
  bool told_ = false;               // the current packet has a display orientation message
  bool fresh_ = false;              // the current packet begins a sequence with its own parameter sets
  bool ending_ = false;             // the packet before began a sequence and had no such message
};

}  // namespace palisade
