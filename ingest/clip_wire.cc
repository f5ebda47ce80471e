#include "ingest/clip_wire.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "frames/view.h"
#include "ingest/feed_wire.h"
#include "ingest/glimpses.h"
#include "ingest/shared_samples.h"
#include "ingest/wire_bytes.h"

namespace palisade {
namespace {

constexpr std::uint32_t kMaxForgotten = 65'536;
// Clips of a sampling that have been completed and are on their way, beside those that are open.
constexpr std::size_t kClipsOnTheWay = 4;
constexpr std::size_t kMaxOpenClips = 128;
constexpr std::uint64_t kNoView = 0;  // in place of an image's number

void put(WireWriter& out, const FrameStamp& stamp) {
  out.put(stamp.number);
  out.put(stamp.pts);
  out.put(stamp.wall);
  out.put(stamp.time_source);
  out.put(stamp.time_uncertainty.has_value());
  out.put(stamp.time_uncertainty.value_or(std::chrono::milliseconds(0)));
  out.put(stamp.keyframe);
  out.put(stamp.corrupt);
  out.put(stamp.jumped);
}

void get(WireReader& in, FrameStamp& stamp) {
  in.get(stamp.number);
  in.get(stamp.pts);
  in.get(stamp.wall);
  in.get(stamp.time_source, TimeSource::kFile);
  bool known = false;
  in.get(known);
  std::chrono::milliseconds uncertainty{};
  in.get(uncertainty);
  if (known) stamp.time_uncertainty = uncertainty;
  in.get(stamp.keyframe);
  in.get(stamp.corrupt);
  in.get(stamp.jumped);
  if (!is_wire_time(stamp.pts) || !is_wire_time(stamp.wall.time_since_epoch()) ||
      !is_wire_time(uncertainty) || uncertainty.count() < 0)
    throw WireError("a time that is none");
}

// What an image is, without its samples.
struct ImageHead {
  std::uint64_t number = 0;
  int width = 0, height = 0;
  bool is_float = false;

  std::size_t bytes() const {
    return std::size_t(width) * std::size_t(height) * 3 * (is_float ? sizeof(float) : 1);
  }
};

void put(WireWriter& out, std::uint64_t number, const Image& image) {
  out.put(number);
  out.put(image.width());
  out.put(image.height());
  out.put(image.is_float());
}

// For the model, or for people.
bool is_of_feed(const ImageHead& head, int size) {
  const bool of_model = head.width == size && head.height == size;
  const bool is_view = head.width > 0 && head.width <= kViewWidth && head.height > 0 &&
                       head.height <= kViewHeight && !head.is_float;
  return of_model || is_view;
}

ImageHead head_of(WireReader& in, int size) {
  ImageHead head;
  in.get(head.number);
  in.get(head.width);
  in.get(head.height);
  in.get(head.is_float);
  if (!is_of_feed(head, size)) throw WireError("an image of another size");
  return head;
}

template <class Sample>
Image copied_image(const ImageHead& head, std::string_view bytes) {
  std::vector<Sample> samples(bytes.size() / sizeof(Sample));
  std::memcpy(samples.data(), bytes.data(), bytes.size());
  return {head.width, head.height, std::move(samples)};
}

template <class Sample>
Image mapped_image(const ImageHead& head, std::shared_ptr<const std::byte> memory) {
  const std::span samples(reinterpret_cast<const Sample*>(memory.get()), head.bytes() / sizeof(Sample));
  return {head.width, head.height, samples, std::move(memory)};
}

// Those of its clips, with that of its glimpses behind them.
std::vector<Sampling> samplings_of(const FeedOptions& options) {
  std::vector<Sampling> all = options.samplings;
  if (options.glimpses) all.push_back(Glimpses::sampling());
  return all;
}

// How many images a Feed can have sent and may send again in a later clip.
std::size_t most_images_of(const std::vector<Sampling>& samplings) {
  std::size_t most = 0;
  for (const Sampling& sampling : samplings) {
    const auto stride = std::max(sampling.stride, std::chrono::milliseconds(1));
    const bool by_count = sampling.policy == SamplingPolicy::kStride;  // its span depends on the camera
    const auto open =
        by_count ? kMaxOpenClips : std::min(std::size_t(sampling.span / stride) + 2, kMaxOpenClips);
    most += (open + kClipsOnTheWay) * std::size_t(sampling.count) + kClipsOnTheWay;  // and their views
  }
  return most;
}

}  // namespace

// Returns its number.
std::uint64_t ClipSender::send(const Image& image, bool share, ClipMessages& messages) {
  const auto [sent, is_new] = sent_.try_emplace(image.identity());
  if (!is_new) return sent->second.number;
  sent->second = {.number = ++last_, .lifetime = image.lifetime()};
  WireWriter out;
  put(out, last_, image);
  const auto samples = image.bytes();
  Descriptor memory = share ? sealed_memory(samples) : Descriptor();
  if (!memory.is_open()) out.put_text({reinterpret_cast<const char*>(samples.data()), samples.size()});
  messages.bytes +=
      wire_message(memory.is_open() ? FeedMessage::kSharedImage : FeedMessage::kImage, out.take());
  if (memory.is_open()) messages.memory.push_back(std::move(memory));
  return last_;
}

ClipMessages ClipSender::messages_of(const Clip& clip, std::uint32_t sampling, bool share) {
  ClipMessages messages;
  std::vector<std::uint64_t> forgotten;
  for (auto each = sent_.begin(); each != sent_.end();) {
    const bool is_gone = each->second.lifetime.expired();
    if (is_gone) forgotten.push_back(each->second.number);
    each = is_gone ? sent_.erase(each) : std::next(each);
  }
  if (!forgotten.empty()) {
    WireWriter gone;
    gone.put_all(forgotten, [&](std::uint64_t number) { gone.put(number); });
    messages.bytes += wire_message(FeedMessage::kForget, gone.take());
  }
  WireWriter out;
  out.put(sampling);
  out.put(clip.moving.has_value());
  out.put(clip.moving.value_or(false));
  out.put(clip.tiled);
  out.put(clip.lost_before);
  out.put_all(clip.frames, [&](const Frame& frame) {
    out.put(send(frame.image, share, messages));
    out.put(frame.view.empty() ? kNoView : send(frame.view, share, messages));
    put(out, frame.stamp);
    out.put(frame.source_width);
    out.put(frame.source_height);
    out.put(frame.motion);
  });
  messages.bytes += wire_message(FeedMessage::kClip, out.take());
  return messages;
}

ClipReceiver::ClipReceiver(const FeedOptions& options)
    : stream_(options.stream),
      samplings_(samplings_of(options)),
      image_size_(options.image_size),
      most_images_(most_images_of(samplings_)) {}

void ClipReceiver::keep(std::uint64_t number, Image image) {
  images_.insert_or_assign(number, std::move(image));
  if (images_.size() > most_images_) throw WireError("more images than clips can share");
}

void ClipReceiver::take_image(std::string_view values) {
  WireReader in(values);
  const ImageHead head = head_of(in, image_size_);
  std::uint32_t size = 0;
  in.get(size);
  const std::string_view bytes = in.take(size);
  in.end();
  if (bytes.size() != head.bytes()) throw WireError("an image of another size");
  keep(head.number,
       head.is_float ? copied_image<float>(head, bytes) : copied_image<std::uint8_t>(head, bytes));
}

void ClipReceiver::take_shared_image(std::string_view values, const Descriptor& memory) {
  WireReader in(values);
  const ImageHead head = head_of(in, image_size_);
  in.end();
  auto samples = map_sealed(memory, head.bytes());
  keep(head.number, head.is_float ? mapped_image<float>(head, std::move(samples))
                                  : mapped_image<std::uint8_t>(head, std::move(samples)));
}

void ClipReceiver::forget(std::string_view values) {
  WireReader in(values);
  std::vector<std::uint64_t> numbers;
  in.take_all(numbers, kMaxForgotten, [&](std::uint64_t& number) { in.get(number); });
  in.end();
  for (const std::uint64_t number : numbers) images_.erase(number);
}

const Image& ClipReceiver::image(std::uint64_t number) const {
  const auto found = images_.find(number);
  if (found == images_.end()) throw WireError("a clip of an image that it did not send");
  return found->second;
}

ClipReceiver::Received ClipReceiver::clip(std::string_view values) const {
  WireReader in(values);
  Received received;
  Clip& clip = received.clip;
  in.get(received.sampling);
  if (received.sampling >= samplings_.size()) throw WireError("a clip of no sampling");
  clip.sampling = samplings_[received.sampling];
  bool watched = false, moving = false;
  in.get(watched);
  in.get(moving);
  if (watched) clip.moving = moving;
  in.get(clip.tiled);
  in.get(clip.lost_before);
  in.take_all(clip.frames, std::uint32_t(clip.sampling.count), [&](Frame& frame) {
    std::uint64_t number = 0;
    in.get(number);
    frame.image = image(number);
    if (frame.image.width() != image_size_ || frame.image.height() != image_size_)
      throw WireError("a frame of another size");
    in.get(number);
    if (number != kNoView) frame.view = image(number);
    if (frame.view.is_float()) throw WireError("a view that is none");
    frame.stream = stream_;
    get(in, frame.stamp);
    in.get(frame.source_width);
    in.get(frame.source_height);
    in.get(frame.motion);
    if (frame.source_width < 1 || frame.source_height < 1 || frame.source_width > kMaxSide ||
        frame.source_height > kMaxSide || !std::isfinite(frame.motion))
      throw WireError("a frame of impossible numbers");
  });
  in.end();
  if (clip.frames.empty()) throw WireError("a clip without frames");
  return received;
}

}  // namespace palisade
