#pragma once

#include <vector>

#include "service/settings/settings.h"
#include "service/settings/settings_reader.h"

namespace palisade {

// `http: {listen: 127.0.0.1:8420, hosts: [...], origins: [...], tls: {certificate: FILE, key: FILE},
// trusted_proxy: [...], networks: [...]}`
void read_http(SettingsReader& reader, HttpSettings& http, std::vector<Problem>& problems);

// Keeps a stream that was written while the service ran to http.networks: adds a problem where its address is
// outside, or where it is read in the service itself, where nothing holds it there. Hosts of
// `configured`, which the configuration's own streams name, are let be.
void keep_to_networks(StreamSettings& stream, const HttpSettings& http,
                      const std::vector<std::string>& configured, SettingsReader& reader);

}  // namespace palisade
