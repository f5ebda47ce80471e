#pragma once

#include <string_view>

namespace palisade {

// The descriptor at which the process of a camera finds its end of the socket.
inline constexpr int kFeedChannel = 3;

// Sends all of it to a socket, however long that takes. False where the other end has closed.
bool send_whole(int socket, std::string_view bytes);

}  // namespace palisade
