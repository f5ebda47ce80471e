#pragma once

namespace palisade {

// Prepares the process before anything else runs. Descriptors 0 to 2 are opened, so that no socket becomes a
// standard stream. New files are for user and group alone. A reader that leaves causes an error of writing
// instead of a signal.
void start_process();

// False, with a line on stderr, where stdout could not be written.
bool finish_output();

}  // namespace palisade
