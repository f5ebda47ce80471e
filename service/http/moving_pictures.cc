#include "service/http/moving_pictures.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "service/http/exchange.h"
#include "service/journal/frame_codec.h"

namespace palisade {
namespace {

using Exchange = std::shared_ptr<HttpExchange>;

constexpr std::chrono::milliseconds kBetweenPictures{200};
constexpr std::ptrdiff_t kMaxOfToken = 4;
constexpr std::size_t kMaxViewers = 32;
constexpr char kBoundary[] = "palisade-picture";

std::string part_of(const Frame& frame) {
  const std::string jpeg =
      encode_frame(frame.view.empty() ? frame.image : frame.view, FrameStorage::kJpeg).bytes;
  return format("--{}\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", kBoundary, jpeg.size()) +
         jpeg + "\r\n";
}

HttpError too_many(std::string message) {
  return {.status = 429, .message = std::move(message), .code = "too_many"};
}

}  // namespace

struct MovingPictures::State {
  struct Viewer {
    Exchange exchange;
    std::string stream;
    MonotonicTime seen{};  // when its last picture came
  };
  struct Encoded {
    MonotonicTime came{};
    std::string part;
  };

  explicit State(HttpBackend& its_backend) : backend(its_backend) {}

  void watch(const Exchange& exchange);
  void run(const std::stop_token& stop);
  void show(Viewer& viewer, std::map<std::string, Encoded>& pictures);

  HttpBackend& backend;
  std::mutex mutex;
  std::condition_variable_any changed;
  std::vector<Viewer> arriving;    // guarded by mutex
  std::vector<Exchange> watching;  // guarded by mutex; all that have not gone
  std::jthread thread;
};

void MovingPictures::State::watch(const Exchange& exchange) {
  const std::string name = exchange->request().parts.at("stream");
  if (!exchange->holder().may_see(name) || !backend.newest(name))
    return exchange->fail({.status = 404,
                           .message = format("no picture of '{}' yet, or no such stream", name.substr(0, 64)),
                           .code = "not_found"});
  {
    const std::lock_guard lock(mutex);
    std::erase_if(watching, [](const Exchange& one) { return one->gone(); });
    const auto of_token = std::ranges::count_if(
        watching, [&](const Exchange& one) { return one->holder().name == exchange->holder().name; });
    if (of_token >= kMaxOfToken)
      return exchange->fail(
          too_many(format("a token watches at most {} streams as motion JPEG", kMaxOfToken)));
    if (watching.size() >= kMaxViewers) return exchange->fail(too_many("too many watch already"));
    exchange->begin({.type = format("multipart/x-mixed-replace; boundary={}", kBoundary),
                     .headers = {{"X-Accel-Buffering", "no"}}});
    watching.push_back(exchange);
    arriving.push_back({.exchange = exchange, .stream = name});
  }
  changed.notify_one();
}

// Nothing where the stream has no newer picture, or the viewer has not taken the last one yet.
void MovingPictures::State::show(Viewer& viewer, std::map<std::string, Encoded>& pictures) {
  if (!viewer.exchange->all_taken()) return;
  const auto now = std::chrono::steady_clock::now();
  auto picture = pictures.find(viewer.stream);
  if (picture == pictures.end()) {
    const auto newest = backend.newest(viewer.stream);
    if (!newest) return;
    picture =
        pictures.emplace(viewer.stream, Encoded{.came = now - newest->age, .part = part_of(newest->frame)})
            .first;
  }
  // Ages are told in milliseconds.
  if (picture->second.came - viewer.seen < std::chrono::milliseconds(2)) return;
  viewer.seen = picture->second.came;
  viewer.exchange->send(picture->second.part);
}

void MovingPictures::State::run(const std::stop_token& stop) {
  std::vector<Viewer> all;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex);
      if (all.empty()) {
        changed.wait(lock, stop, [this] { return !arriving.empty(); });
      } else {
        changed.wait_for(lock, stop, kBetweenPictures, [] { return false; });
      }
      std::ranges::move(arriving, std::back_inserter(all));
      arriving.clear();
    }
    std::map<std::string, Encoded> pictures;
    std::erase_if(all, [](const Viewer& viewer) { return viewer.exchange->gone(); });
    for (Viewer& viewer : all) {
      try {
        show(viewer, pictures);
      } catch (const Error& error) {
        log_warning(format("http: moving pictures: {}", error.what()));
      }
    }
  }
  for (const Viewer& viewer : all) viewer.exchange->end();
}

MovingPictures::MovingPictures(HttpBackend& backend) : state_(std::make_unique<State>(backend)) {
  state_->thread = std::jthread([state = state_.get()](const std::stop_token& stop) { state->run(stop); });
}
MovingPictures::~MovingPictures() {
  state_->thread.request_stop();
  state_->thread.join();
}

void MovingPictures::add_route(HttpRouter& router) {
  router.add({.pattern = "/api/v1/streams/{stream}/picture.mjpeg",
              .scope = HttpScope::kView,
              .handler = [state = state_.get()](const auto& exchange) { state->watch(exchange); }});
}

}  // namespace palisade
