#pragma once

namespace palisade {

// Whether this process may open so many descriptors more. Libraries end the program where they get none (GLib
// its wake-up pipe, for one), so that nothing is begun with too few.
bool descriptors_left(int wanted);

}  // namespace palisade
