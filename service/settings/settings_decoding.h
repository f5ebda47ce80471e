#pragma once

#include "service/settings/settings.h"
#include "service/settings/settings_reader.h"

namespace palisade {

// Reads reader, decode, hardware and frame_interval of a stream, whose tasks have been read. Where keyframes
// alone are decoded, uniform windows become windows of keyframes.
void read_decoding(SettingsReader& reader, StreamSettings& stream);

}  // namespace palisade
