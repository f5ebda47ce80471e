#pragma once

#include "ingest/source/source.h"
#include "service/settings/settings_reader.h"

namespace palisade {

// Where a stream's address may lead, and whom it is believed: redirect_hosts, tls_ca, tls_verify. After its
// url.
void read_trust(SettingsReader& reader, SourceOptions& source);

}  // namespace palisade
