#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "model/masks/mask_decoder.h"
#include "tasks/boxes.h"

namespace CLI {
class App;
}

namespace palisade {

// How the boxes of an answer are read and shown.
struct BoxFlags {
  int locations = kLastLocation;
  bool spread = false;
  std::string picture;       // file; empty: none is drawn
  std::string mask_decoder;  // file; empty: masks are left out
  std::string masks_to;      // folder; empty: masks are not written
};

void add_box_flags(CLI::App& command, BoxFlags& flags);
// Throws UsageError.
LocationScale scale_of(const BoxFlags& flags);
// Nothing without --mask-decoder. Throws Error.
std::optional<MaskDecoder> mask_decoder_of(const BoxFlags& flags);
// Throws UsageError where a picture is to be drawn and there is not one to draw on.
void require_one_picture_for(const BoxFlags& flags, std::size_t pictures);

}  // namespace palisade
