#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "frames/orientation.h"

namespace palisade {

// Follows through an H.264 or H.265 stream what its supplemental messages ("display orientation") say of how
// pictures are to be turned. Some are meant for one picture, most for all until the next such message or a
// sequence without one; decoders tell them of the one picture alone. One thread's.
class SeiOrientation {
 public:
  enum class Codec { kH264, kH265 };

  SeiOrientation() = default;
  // `length_bytes`: of the number before each unit, as in MP4; 0 where start codes part them.
  SeiOrientation(Codec codec, int length_bytes) : codec_(codec), length_bytes_(length_bytes) {}
  // For a stream whose units are parted as the codec's extra data says; empty data means start codes.
  static SeiOrientation of_extra_data(Codec codec, std::span<const std::byte> extra_data);

  // How the picture of this packet lies; nothing where the stream does not say. Takes any bytes.
  std::optional<Orientation> next(std::span<const std::byte> packet);

 private:
  void note_units(std::span<const std::byte> packet);
  void note_unit(std::span<const std::byte> unit);
  void note_messages(std::span<const std::byte> payload);

  std::optional<Codec> codec_;
  int length_bytes_ = 0;
  std::optional<Orientation> lasting_;
  std::optional<Orientation> now_;  // of the packet in hand
  bool told_ = false;               // by the packet in hand
  bool fresh_ = false;              // it begins a sequence, with parameters of its own
  bool ending_ = false;             // a sequence has begun that has not said anything yet
};

}  // namespace palisade
