#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "service/engine/engine.h"
#include "service/events/event_road.h"
#include "service/streams/served_stream.h"
#include "tests/service/kept_events.h"

namespace palisade {

// The results of a stream from its first to its last frame.
struct OneStream {
  std::vector<Json> answers;  // whole events of all its tasks, in order
  StreamCounts counts;
};

struct ServeOneOptions {
  bool hurried = false;  // frames come whether or not those before are answered
  std::function<void(ServedStream& stream, const FrameStamp& stamp)> before_frame;
};

// A source that holds back frames until the queue is empty, so that no clip is dropped however slow the model
// is.
class PatientSource : public Source {
 public:
  PatientSource(std::unique_ptr<Source> source, const RequestQueue& queue, ServedStream& stream,
                const ServeOneOptions& options)
      : source_(std::move(source)), queue_(queue), stream_(stream), options_(options) {}
  std::optional<Frame> next(const Wanted& wanted) override {
    return source_->next([&](const FrameStamp& stamp) {
      do {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      } while (!options_.hurried && queue_.size() > 0);
      if (options_.before_frame) options_.before_frame(stream_, stamp);
      return wanted(stamp);
    });
  }
  bool live() const override { return source_->live(); }

 private:
  std::unique_ptr<Source> source_;
  const RequestQueue& queue_;
  ServedStream& stream_;
  const ServeOneOptions& options_;
};

// Serves a stream to its end, and returns when everything is answered and all events have come.
inline OneStream serve_one(EngineModel& model, const StreamSettings& settings, const Feed::Open& open,
                           const ServeOneOptions& its_options = {}) {
  RequestQueue queue;
  KeptEvents kept;
  auto road =
      std::make_unique<EventRoad>(EventRoadOptions{.queue_depth = 100'000}, std::vector<EventSink*>{&kept});
  Engine engine(model, queue);
  Pairings pairings;
  ReferencePictures references;
  std::promise<void> ended;
  const auto stream = std::make_shared<ServedStream>(
      settings, ServedStream::Surroundings{.engine = {},
                                           .model = model,
                                           .queue = queue,
                                           .road = *road,
                                           .pairings = pairings,
                                           .references = references,
                                           .ended = [&] { ended.set_value(); }});
  stream->start([&](const SourceOptions& options, std::stop_token stop) {
    return std::make_unique<PatientSource>(open(options, std::move(stop)), queue, *stream, its_options);
  });
  ended.get_future().wait();
  queue.close();
  engine.join();
  stream->end();
  OneStream all{.answers = {}, .counts = stream->counts()};
  road.reset();
  for (const SharedMessage& message : kept.all()) {
    if (message->kind == EventKind::kAnswer) all.answers.push_back(parse_json(message->json, message->topic));
  }
  return all;
}

}  // namespace palisade
