#pragma once

#include <stdexcept>

namespace palisade {

// A wrong use that only running the command could find: told in one line, exit code 2.
class UsageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Something that others hold or that is not there now (a port in use): told in one line, exit code 3.
class Unavailable : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Parses, runs the command and returns its exit code. Every exception ends here, in one line on stderr.
int run_command_line(int argument_count, char** arguments);

}  // namespace palisade
