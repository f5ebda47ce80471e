#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "examples/camera/street_camera.h"

namespace palisade::world {

struct ServerSettings {
  std::string address = "127.0.0.1";
  int port = 8554;  // 0: any free port
  int frames_per_second = 10;
  int kbit_per_second = 1000;
};

// Serves cameras as rtsp://ADDRESS:PORT/NAME in H.264. A camera is drawn and encoded once for all its
// viewers, and not at all without viewers. The NTP time in its RTCP sender reports is the time that the
// pictures show. Owned by the main thread; GStreamer's threads draw.
class RtspServer {
 public:
  // Throws if it cannot listen at the address.
  explicit RtspServer(ServerSettings settings);
  ~RtspServer();

  // The camera outlives the server.
  void serve(StreetCamera& camera);
  std::string url(const StreetCamera& camera) const;
  // Runs until SIGINT, SIGTERM or the end of the given time.
  void run(std::optional<std::chrono::seconds> limit);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palisade::world
