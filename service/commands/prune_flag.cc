#include "service/commands/prune_flag.h"

#include <CLI/CLI.hpp>

namespace palisade {

void add_prune_flag(CLI::App& command, Prune& prune) {
  command
      .add_option_function<std::string>(
          "--prune",
          [&prune](const std::string& text) {
            if (!read_prune(text, prune))
              throw CLI::ValidationError("--prune", std::string(kPruneForms) + ", not '" + text + "'");
          },
          "static: frames of a window in which nothing moves are not read again: much faster, nearly the "
          "same "
          "answers; a number is how alike is the same; default: off")
      ->envname("PALISADE_PRUNE")
      ->type_name("off|static[:0.9]");
}

}  // namespace palisade
