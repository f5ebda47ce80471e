#pragma once

#include "base/json.h"
#include "model/decoding/decoding.h"

namespace palisade {

// How an answer was decoded, as an event states it: {"method": "greedy", "max_new_tokens": 64}. The texts of
// choices stand in the event's own "choices".
struct DecodingEvidence {
  DecodingMethod method;
  int max_new_tokens = 0;
};

Json to_json(const DecodingEvidence& decoding);
// The inverse. `choices`: the event's, or null. Throws Error where it is none of this version.
DecodingEvidence decoding_of(const Json& json, const Json& choices);

}  // namespace palisade
