#include "service/commands/frames_to_flag.h"

#include <CLI/CLI.hpp>

namespace palisade {

void add_frames_to_flag(CLI::App& command, std::string& folder) {
  command
      .add_option("--frames-to", folder,
                  "Folder for the frames that answers saw, as PNG of the encoder's pixels")
      ->envname("PALISADE_FRAMES_TO")
      ->type_name("DIR");
}

}  // namespace palisade
