#pragma once

namespace palisade {

// Parses, runs the command and returns its exit code. Every exception ends here, in one line on stderr.
int run_command_line(int argument_count, char** arguments);

}  // namespace palisade
