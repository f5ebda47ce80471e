#pragma once

#include <deque>
#include <span>
#include <string_view>

#include "base/descriptor.h"

namespace palisade {

// The descriptor at which the process of a camera finds its end of the socket.
inline constexpr int kFeedChannel = 3;
inline constexpr std::size_t kMaxDescriptorsSent = 17;  // at once: a clip's 16 frames and its view

// Sends all of it to a socket, the descriptors with its first byte. Waits where the other end does not take
// it, for no longer than the socket's SO_SNDTIMEO at a time. False where it was not sent.
bool send_whole(int socket, std::string_view bytes, std::span<const Descriptor> descriptors = {});

// Waits for bytes; descriptors that came with them are added to the others. How many bytes; 0 where the other
// end has closed. Throws WireError where descriptors come that nobody takes, or that there is no room for.
std::size_t receive_some(int socket, std::span<char> bytes, std::deque<Descriptor>& descriptors);

}  // namespace palisade
