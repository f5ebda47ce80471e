#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "frames/frame.h"
#include "frames/resize.h"
#include "service/settings/settings.h"

namespace palisade {

// The model's square, which frames are resized to.
struct FrameSquare {
  int side = 224;
  ResizePreset resize = ResizePreset::kHfBicubic;
};

// What came of opening a stream.
struct CameraTrial {
  std::optional<Frame> frame;  // the first one, with its view
  std::string message;         // why there is none, and the remedy
  double seconds = 0;
};
// Opens a stream until its first frame, a fault, or 15 s.
CameraTrial try_camera(const StreamSettings& settings, const FrameSquare& square,
                       const std::stop_token& stop);

// The frames of a film, or why it has none.
struct FilmFrames {
  std::vector<Frame> frames;
  std::string message;
};
// Reads a film in a process of its own: at most `most` frames, spread evenly over all of it. Gives up after a
// minute.
FilmFrames frames_of_film(const std::string& file, std::size_t most, const FrameSquare& square,
                          const std::stop_token& stop);

// Does what opens a source for somebody who waits, each on a thread of its own.
class SourceTrials {
 public:
  using Job = std::function<void(const std::stop_token& stop)>;

  SourceTrials() = default;
  ~SourceTrials();  // asks those that go on to stop, and waits for them
  SourceTrials(const SourceTrials&) = delete;
  SourceTrials& operator=(const SourceTrials&) = delete;

  // Returns at once; false where two go on already. By one thread at a time.
  bool begin(Job job);

 private:
  struct Place {
    std::atomic<bool> taken{false};
    std::jthread thread;
  };
  std::array<Place, 2> places_;
};

}  // namespace palisade
