#pragma once

#include <string>
#include <string_view>

#include "frames/image.h"
#include "service/events/frame_keeper.h"

namespace palisade {

// A picture as a frames file holds it.
struct EncodedFrame {
  std::string
      format;  // "jpeg", "webp" (lossless) or "f32": rows of f32 RGB, of resize presets that keep fractions
  int width = 0, height = 0;
  std::string bytes;
};

// Throws Error where the picture is too large or memory is short. Not with kOff.
EncodedFrame encode_frame(const Image& image, FrameStorage how);
// The picture back; that of kExact is the same to the bit. Throws Error where it is damaged.
Image decode_frame(const EncodedFrame& frame);
// As the file of a picture that other programs read: "jpg", "webp"; f32 becomes "png".
struct PictureFile {
  std::string extension;
  std::string bytes;
};
PictureFile picture_file(const EncodedFrame& frame);

}  // namespace palisade
