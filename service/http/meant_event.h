#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/json.h"
#include "service/http/api.h"
#include "service/http/exchange.h"
#include "service/journal/event_query.h"

namespace palisade {

// An event of the journal that a request is about.
struct MeantEvent {
  std::filesystem::path folder;  // the state folder
  StoredEvent stored;
  Json event;  // as it was published
};

// The state folder of the journal. Throws Unavailable where there is none.
std::filesystem::path journal_folder(const HttpApi& api);
// The event of an id. Throws HttpFault (404) where there is none, or it is of a stream that the holder may
// not see; `param` is the field that named it.
MeantEvent meant_event(HttpApi& api, const HttpExchange& exchange, const std::string& id,
                       const std::string& param = {});

}  // namespace palisade
