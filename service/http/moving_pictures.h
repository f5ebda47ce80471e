#pragma once

#include <memory>

#include "service/http/api.h"

namespace palisade {

// Streams as pictures that follow one another (motion JPEG), for programs that know nothing else: at most
// five a second, and none where the viewer has not taken the last one. One thread encodes each picture once
// for all who watch.
class MovingPictures {
 public:
  explicit MovingPictures(HttpBackend& backend);
  ~MovingPictures();  // ends all
  MovingPictures(const MovingPictures&) = delete;
  MovingPictures& operator=(const MovingPictures&) = delete;

  // GET /api/v1/streams/NAME/picture.mjpeg
  void add_route(HttpRouter& router);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palisade
