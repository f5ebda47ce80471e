#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "ingest/rtsp/rtsp_address.h"
#include "ingest/rtsp/rtsp_dialogue.h"
#include "ingest/source/source.h"

namespace palisade {

// What a camera's refusal comes to, the same whoever reads it; nothing where the answer refuses nothing.
// `shown` begins the message.
std::optional<SourceError> fault_of(const RtspAnswer& answer, const RtspAddress& address,
                                    const std::string& shown);

// Why a camera could not even be asked: looks its name up, connects and says OPTIONS, without credentials.
// Nothing where it answers as a camera does, or not in time. Waits for `patience`, less after a stop.
std::optional<SourceError> connection_fault(const RtspAddress& address, const std::string& shown,
                                            std::chrono::milliseconds patience, const std::stop_token& stop);

SourceError unknown_host(const RtspAddress& address, const std::string& shown);
SourceError no_answer(const std::string& shown, std::chrono::milliseconds patience);
// What follows the address where video of this encoding cannot be read.
std::string unknown_encoding_text(const std::string& encoding);

}  // namespace palisade
