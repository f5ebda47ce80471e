#pragma once

namespace palisade {

// What a process owes its surroundings, before anything else of it runs: descriptors 0 to 2 are open, so that
// no socket is ever taken for a standard stream; what it writes is nobody's but its user's and group's; a
// reader that left is an error of writing and not a signal.
void start_process();

// False, with a line on stderr, where something on stdout could not be written.
bool finish_output();

}  // namespace palisade
