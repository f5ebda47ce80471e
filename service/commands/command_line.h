#pragma once

namespace palisade {

// Parses the command line, runs the command and returns its exit code. Every exception becomes one line on
// stderr.
int run_command_line(int argument_count, char** arguments);

}  // namespace palisade
