#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "examples/camera/street_camera.h"

namespace palisade::world {

struct ServerSettings {
  std::string address = "127.0.0.1";
  int port = 8554;  // 0: any that is free
  int frames_per_second = 10;
  int kbit_per_second = 1000;
};

// Serves cameras as rtsp://ADDRESS:PORT/NAME in H.264. A camera is drawn and encoded once for all its
// viewers, and not at all while it has none. The NTP time of its RTCP sender reports is the time that the
// pictures show. Owned by the main thread; GStreamer's threads draw.
class RtspServer {
 public:
  // Throws when the address cannot be listened to.
  explicit RtspServer(ServerSettings settings);
  ~RtspServer();

  // The camera outlives the server.
  void serve(StreetCamera& camera);
  std::string url(const StreetCamera& camera) const;
  // Returns at SIGINT or SIGTERM, or when the time is over.
  void run(std::optional<std::chrono::seconds> limit);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palisade::world
