#pragma once

namespace palisade {

// The other end of a FeedProcess: reads the settings from the socket `channel`, runs a Feed, and sends what
// it gives until it ends, is told to stop, or the socket is closed. What has not been taken in time is
// dropped, the oldest clip of a sampling first, and counted in the next one; a file that is not paced waits
// instead. Returns the exit code. Throws WireError where the settings cannot be read.
int run_feed_child(int channel);

}  // namespace palisade
