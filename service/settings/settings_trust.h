#pragma once

#include "ingest/source/source.h"
#include "service/settings/settings_reader.h"

namespace palisade {

// Reads redirect_hosts, tls_ca and tls_verify of a stream whose url has been read.
void read_trust(SettingsReader& reader, SourceOptions& source);

}  // namespace palisade
