#include "service/commands/box_flags.h"

#include <CLI/CLI.hpp>

#include "base/error.h"

namespace palisade {

void add_box_flags(CLI::App& command, BoxFlags& flags) {
  command
      .add_option("--locations", flags.locations,
                  "What the numbers of boxes are divided by: 1023, or 1024 for a model trained so")
      ->envname("PALISADE_LOCATIONS")
      ->capture_default_str();
  command.add_flag("--spread", flags.spread, "Tell how far each edge of a box is spread (--json)");
  command
      .add_option("--picture", flags.picture, "Write the picture with the answer's boxes and masks, as PNG")
      ->envname("PALISADE_PICTURE")
      ->type_name("FILE");
  command
      .add_option("--mask-decoder", flags.mask_decoder,
                  "Weights that decode the masks of \"segment\": PaliGemma's vae-oid.npz")
      ->envname("PALISADE_MASK_DECODER")
      ->type_name("FILE");
  command.add_option("--masks-to", flags.masks_to, "Folder for masks as PNG, named by their SHA-256")
      ->envname("PALISADE_MASKS_TO")
      ->type_name("DIR");
}

LocationScale scale_of(const BoxFlags& flags) {
  if (flags.locations != kLastLocation && flags.locations != kLastLocation + 1)
    throw UsageError("--locations is 1023 or 1024");
  return {.last = flags.locations};
}

std::optional<MaskDecoder> mask_decoder_of(const BoxFlags& flags) {
  if (flags.mask_decoder.empty()) {
    if (!flags.masks_to.empty())
      throw UsageError("--masks-to needs --mask-decoder, the weights that decode masks");
    return std::nullopt;
  }
  return std::optional<MaskDecoder>(std::in_place, flags.mask_decoder);
}

void require_one_picture_for(const BoxFlags& flags, std::size_t pictures) {
  if (!flags.picture.empty() && pictures != 1)
    throw UsageError("--picture draws the boxes of an answer about one picture; ask about one");
}

}  // namespace palisade
