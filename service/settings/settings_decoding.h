#pragma once

#include "service/settings/settings.h"
#include "service/settings/settings_reader.h"

namespace palisade {

// How a stream is read and decoded: reader, decode, hardware, frame_interval. After its tasks: of a stream
// whose keyframes alone are decoded, uniform windows are windows of keyframes.
void read_decoding(SettingsReader& reader, StreamSettings& stream);

}  // namespace palisade
