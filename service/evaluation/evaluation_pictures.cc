#include "service/evaluation/evaluation_pictures.h"

#include <algorithm>
#include <thread>

#include "base/error.h"
#include "ingest/open_source.h"
#include "ingest/pictures/picture.h"
#include "ingest/source/source.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

Frame fitted_frame(Image image, const FrameStamp& stamp, const EvaluationView& view) {
  Frame frame;
  frame.stamp = stamp;
  frame.stamp.time_source = TimeSource::kFile;
  frame.source_width = image.width();
  frame.source_height = image.height();
  frame.image = image.width() == view.side && image.height() == view.side
                    ? std::move(image)
                    : resize(image, view.side, view.side, view.resize);
  return frame;
}

// As transfer takes them: from the first frame, every frame_step-th; 0, 1, 2, 0, 1, 2 ... of a short film.
std::vector<Frame> frames_of_film(const fs::path& film, const EvaluationView& view) {
  const auto count = std::size_t(view.frames);
  const auto step = std::uint64_t(view.frame_step);
  std::vector<Frame> frames;
  const auto source = open_source({.url = film.string()}, {});
  while (frames.size() < count) {
    auto frame = source->next([&](const FrameStamp& stamp) { return stamp.number % step == 0; });
    if (!frame) break;
    frames.push_back(fitted_frame(std::move(frame->image), frame->stamp, view));
  }
  if (frames.empty()) throw Error(film.string() + ": holds no frame");
  for (const std::size_t seen = frames.size(); frames.size() < count;)
    frames.push_back(frames[frames.size() % seen]);
  return frames;
}

}  // namespace

EvaluationPictures::EvaluationPictures(const EvaluationView& view)
    : view_(view),
      turns_(std::make_shared<std::counting_semaphore<>>(
          std::clamp(int(std::thread::hardware_concurrency()), 1, 8))) {}

EvaluationPictures::Frames EvaluationPictures::begin(const fs::path& file, bool film) {
  const auto known = known_.find(file);
  if (known != known_.end()) return known->second;
  const Frames frames = std::async(std::launch::async, [file, film, view = view_, turns = turns_] {
                          turns->acquire();
                          const std::shared_ptr<void> turn(nullptr, [&](void*) { turns->release(); });
                          if (film) return frames_of_film(file, view);
                          return std::vector<Frame>{fitted_frame(read_picture(file), {}, view)};
                        }).share();
  known_[file] = frames;
  order_.emplace_back(file, film ? std::size_t(view_.frames) : 1);
  pictures_ += order_.back().second;
  forget_the_oldest();
  return frames;
}

// Whoever still needs them has them.
void EvaluationPictures::forget_the_oldest() {
  while (pictures_ > view_.kept && order_.size() > 1) {
    known_.erase(order_.front().first);
    pictures_ -= order_.front().second;
    order_.pop_front();
  }
}

std::vector<EvaluationPictures::Frames> EvaluationPictures::begin(const TransferLine& line) {
  if (!line.video.empty()) return {begin(line.video, true)};
  std::vector<Frames> parts;
  for (const fs::path& picture : line.pictures) parts.push_back(begin(picture, false));
  return parts;
}

Clip EvaluationPictures::clip_of(const std::vector<Frames>& parts) {
  Clip clip;
  for (const Frames& part : parts) {
    const std::vector<Frame>& frames = part.get();
    clip.frames.insert(clip.frames.end(), frames.begin(), frames.end());
  }
  clip.sampling = {.count = int(clip.frames.size()), .span = std::chrono::milliseconds(0)};
  for (std::size_t i = 0; i < clip.frames.size(); ++i) clip.frames[i].stamp.number = i;
  return clip;
}

}  // namespace palisade
