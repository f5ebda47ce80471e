#pragma once

#include <string>

#include "ingest/gst_handles.h"
#include "ingest/source.h"

namespace palisade {

// The pipeline of a camera that is given by an address, rtsp(s): or v4l2:, instead of a pipeline's line.
bool is_camera(const SourceOptions& options);
// Up to its decoded pictures. Holds nothing of the address, which a line would have to quote. Throws
// SourceError where a v4l2: address names no device.
std::string camera_line(const SourceOptions& options);
// Sets the address, credentials, transport and timeouts of what camera_line() has become. `transport` is TCP
// or UDP.
void configure_camera(GstElement& pipeline, const SourceOptions& options, RtspTransport transport);
// Where an RTSP camera was found in the end; empty for another.
std::string reached_address(GstElement& pipeline);

}  // namespace palisade
