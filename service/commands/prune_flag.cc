#include "service/commands/prune_flag.h"

#include <CLI/CLI.hpp>

#include "base/error.h"

namespace palisade {

void add_prune_flag(CLI::App& command, Prune& prune) {
  command
      .add_option_function<std::string>(
          "--prune",
          [&prune](const std::string& text) {
            if (!read_prune(text, prune))
              throw CLI::ValidationError("--prune", std::string(kPruneForms) + ", not '" + text + "'");
          },
          "Leave frames in which nothing moves out of the language model's pass; the number is the cosine of "
          "features that counts as the same, 0.95 unless given; default: off")
      ->envname("PALISADE_PRUNE")
      ->type_name("off|static[:0.95]");
}

void require_video_for(const Prune& prune, int frames) {
  if (prune && frames < kMinPrunedFrames)
    throw UsageError("--prune static leaves out what the frames of a video share; it needs three or more");
}

}  // namespace palisade
