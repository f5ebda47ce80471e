#include "service/commands/frames_to_flag.h"

#include <CLI/CLI.hpp>

namespace palisade {

void add_frames_to_flag(CLI::App& command, std::string& folder) {
  command
      .add_option(
          "--frames-to", folder,
          "Write what the answers saw into this folder, as PNG with their times: upright, and just the "
          "pixels that went into the encoder")
      ->envname("PALISADE_FRAMES_TO")
      ->type_name("DIR");
}

}  // namespace palisade
