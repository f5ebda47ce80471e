#pragma once

namespace palisade {

// Whether this process may open `wanted` more descriptors. Checked beforehand, because some libraries end the
// program where they get none (GLib for its wake-up pipe).
bool descriptors_left(int wanted);

}  // namespace palisade
