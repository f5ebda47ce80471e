#include "ingest/feed_wire.h"

#include <algorithm>

#include "ingest/wire_bytes.h"

namespace palisade {
namespace {

constexpr std::size_t kSizeBytes = 4;
constexpr std::uint32_t kMaxListed = 65'536, kMaxFrames = 16;
constexpr std::size_t kMaxImages = 1'024;  // that clips to come may share
constexpr int kMaxImageSide = 4'096;

void put(WireWriter& out, const Sampling& sampling) {
  out.put(sampling.count);
  out.put(sampling.span);
  out.put(sampling.stride);
  out.put(sampling.policy);
  out.put(sampling.frame_step);
}

void get(WireReader& in, Sampling& sampling) {
  in.get(sampling.count);
  in.get(sampling.span);
  in.get(sampling.stride);
  in.get(sampling.policy, SamplingPolicy::kMotion);
  in.get(sampling.frame_step);
}

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
}

void put(WireWriter& out, const std::vector<Polygon>& polygons) {
  out.put_all(polygons, [&](const Polygon& polygon) {
    out.put_all(polygon, [&](const Point& point) {
      out.put(point.x);
      out.put(point.y);
    });
  });
}

void get(WireReader& in, std::vector<Polygon>& polygons) {
  in.take_all(polygons, kMaxListed, [&](Polygon& polygon) {
    in.take_all(polygon, kMaxListed, [&](Point& point) {
      in.get(point.x);
      in.get(point.y);
    });
  });
}

void put(WireWriter& out, const SourceOptions& source) {
  out.put_text(source.url);
  out.put_text(source.username);
  out.put_text(source.password);
  out.put(source.transport);
  out.put(source.reader);
  out.put(source.decode);
  out.put(source.open_timeout);
  out.put(source.stall_timeout);
  out.put(source.keyframe_timeout);
  out.put(source.allow_launch);
  out.put(source.hardware);
  out.put_all(source.redirect_hosts, [&](const std::string& host) { out.put_text(host); });
  out.put_text(source.tls_ca);
  out.put(source.tls_verify);
  out.put(source.frame_interval);
  out.put(source.max_pixels);
}

void get(WireReader& in, SourceOptions& source) {
  in.take_text(source.url);
  in.take_text(source.username);
  in.take_text(source.password);
  in.get(source.transport, RtspTransport::kUdp);
  in.get(source.reader, RtspReader::kGstreamer);
  in.get(source.decode, Decode::kKeyframes);
  in.get(source.open_timeout);
  in.get(source.stall_timeout);
  in.get(source.keyframe_timeout);
  in.get(source.allow_launch);
  in.get(source.hardware, Hardware::kAuto);
  in.take_all(source.redirect_hosts, kMaxListed, [&](std::string& host) { in.take_text(host); });
  in.take_text(source.tls_ca);
  in.get(source.tls_verify);
  in.get(source.frame_interval);
  in.get(source.max_pixels);
}

std::string image_values(std::uint64_t number, const Image& image) {
  WireWriter out;
  out.put(number);
  out.put(image.width());
  out.put(image.height());
  out.put(image.is_float());
  const auto bytes = image.bytes();
  out.put_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return out.take();
}

template <class Sample>
Image image_of(int width, int height, std::string_view bytes) {
  std::vector<Sample> samples(std::size_t(width) * std::size_t(height) * 3);
  if (bytes.size() != samples.size() * sizeof(Sample)) throw WireError("an image of another size");
  std::memcpy(samples.data(), bytes.data(), bytes.size());
  return {width, height, std::move(samples)};
}

}  // namespace

std::string wire_message(FeedMessage kind, std::string_view values) {
  WireWriter out;
  out.put(std::uint32_t(values.size() + 1));
  out.put(kind);
  return out.take().append(values);
}

std::string wire_options(const FeedOptions& options) {
  WireWriter out;
  out.put(kFeedWireVersion);
  out.put_text(options.stream);
  put(out, options.source);
  out.put_all(options.samplings, [&](const Sampling& sampling) { put(out, sampling); });
  out.put(options.image_size);
  out.put(options.resize);
  put(out, options.masks);
  out.put(options.watch_motion);
  put(out, options.region);
  out.put(options.retry.first);
  out.put(options.retry.longest);
  out.put(options.retry.stable);
  out.put(options.retry.after_auth_failure);
  out.put(options.pace);
  out.put(options.loop);
  return out.take();
}

FeedOptions read_wire_options(std::string_view values) {
  WireReader in(values);
  std::uint32_t version = 0;
  in.get(version);
  if (version != kFeedWireVersion) throw WireError("settings of another version of this program");
  FeedOptions options;
  in.take_text(options.stream);
  get(in, options.source);
  in.take_all(options.samplings, kMaxListed, [&](Sampling& sampling) { get(in, sampling); });
  in.get(options.image_size);
  if (options.image_size < 1 || options.image_size > kMaxImageSide)
    throw WireError("an image size that there is not");
  in.get(options.resize, ResizePreset::kBvVideoFloat);
  get(in, options.masks);
  in.get(options.watch_motion);
  get(in, options.region);
  in.get(options.retry.first);
  in.get(options.retry.longest);
  in.get(options.retry.stable);
  in.get(options.retry.after_auth_failure);
  in.get(options.pace);
  in.get(options.loop);
  in.end();
  return options;
}

std::string wire_report(const FeedReport& report) {
  WireWriter out;
  out.put_text(report.stream);
  out.put(report.state);
  out.put_text(report.reason);
  out.put(report.since);
  out.put(report.attempt);
  out.put(report.next_try_in);
  out.put(report.width);
  out.put(report.height);
  return out.take();
}

FeedReport read_wire_report(std::string_view values) {
  WireReader in(values);
  FeedReport report;
  in.take_text(report.stream);
  in.get(report.state, FeedState::kCrashed);
  in.take_text(report.reason);
  in.get(report.since);
  in.get(report.attempt);
  in.get(report.next_try_in);
  in.get(report.width);
  in.get(report.height);
  in.end();
  return report;
}

std::string wire_text(std::string_view text) {
  WireWriter out;
  out.put_text(text);
  return out.take();
}

std::string read_wire_text(std::string_view values) {
  WireReader in(values);
  std::string text;
  in.take_text(text);
  in.end();
  return text;
}

std::string wire_count(std::uint64_t count) {
  WireWriter out;
  out.put(count);
  return out.take();
}

std::uint64_t read_wire_count(std::string_view values) {
  WireReader in(values);
  std::uint64_t count = 0;
  in.get(count);
  in.end();
  return count;
}

std::optional<std::pair<FeedMessage, std::string>> FeedMessageReader::next() {
  const std::string_view rest = std::string_view(buffer_).substr(at_);
  if (rest.size() >= kSizeBytes) {
    std::uint32_t size = 0;
    std::memcpy(&size, rest.data(), kSizeBytes);
    if (size == 0 || size > kMaxMessageBytes) throw WireError("a message of an impossible size");
    if (rest.size() >= kSizeBytes + size) {
      WireReader in(rest.substr(kSizeBytes, 1));
      FeedMessage kind{};
      in.get(kind, FeedMessage::kFinished);
      std::string values(rest.substr(kSizeBytes + 1, size - 1));
      at_ += kSizeBytes + size;
      return std::pair(kind, std::move(values));
    }
  }
  buffer_.erase(0, std::exchange(at_, 0));
  return std::nullopt;
}

std::string ClipSender::messages_of(const Clip& clip, std::uint32_t sampling) {
  std::string messages;
  std::vector<std::uint64_t> forgotten;
  for (auto each = sent_.begin(); each != sent_.end();) {
    const bool is_gone = each->second.lifetime.expired();
    if (is_gone) forgotten.push_back(each->second.number);
    each = is_gone ? sent_.erase(each) : std::next(each);
  }
  if (!forgotten.empty()) {
    WireWriter gone;
    gone.put_all(forgotten, [&](std::uint64_t number) { gone.put(number); });
    messages += wire_message(FeedMessage::kForget, gone.take());
  }
  WireWriter out;
  out.put(sampling);
  put(out, clip.sampling);
  out.put(clip.moving.has_value());
  out.put(clip.moving.value_or(false));
  out.put(clip.tiled);
  out.put(clip.lost_before);
  out.put_all(clip.frames, [&](const Frame& frame) {
    const auto [sent, is_new] = sent_.try_emplace(frame.image.identity());
    if (is_new) {
      sent->second = {.number = ++last_, .lifetime = frame.image.lifetime()};
      messages += wire_message(FeedMessage::kImage, image_values(last_, frame.image));
    }
    out.put(sent->second.number);
    put(out, frame.stamp);
    out.put_text(frame.stream);
    out.put(frame.source_width);
    out.put(frame.source_height);
    out.put(frame.motion);
  });
  return messages + wire_message(FeedMessage::kClip, out.take());
}

void ClipReceiver::take_image(std::string_view values) {
  WireReader in(values);
  std::uint64_t number = 0;
  int width = 0, height = 0;
  bool is_float = false;
  in.get(number);
  in.get(width);
  in.get(height);
  in.get(is_float);
  std::uint32_t size = 0;
  in.get(size);
  if (width < 1 || height < 1 || width > kMaxImageSide || height > kMaxImageSide)
    throw WireError("an image of an impossible size");
  const std::string_view bytes = in.take(size);
  in.end();
  Image image =
      is_float ? image_of<float>(width, height, bytes) : image_of<std::uint8_t>(width, height, bytes);
  images_.insert_or_assign(number, std::move(image));
  if (images_.size() > kMaxImages) throw WireError("more images than clips can share");
}

void ClipReceiver::forget(std::string_view values) {
  WireReader in(values);
  std::vector<std::uint64_t> numbers;
  in.take_all(numbers, kMaxListed, [&](std::uint64_t& number) { in.get(number); });
  in.end();
  for (const std::uint64_t number : numbers) images_.erase(number);
}

ClipReceiver::Received ClipReceiver::clip(std::string_view values) const {
  WireReader in(values);
  Received received;
  Clip& clip = received.clip;
  in.get(received.sampling);
  get(in, clip.sampling);
  bool watched = false, moving = false;
  in.get(watched);
  in.get(moving);
  if (watched) clip.moving = moving;
  in.get(clip.tiled);
  in.get(clip.lost_before);
  in.take_all(clip.frames, kMaxFrames, [&](Frame& frame) {
    std::uint64_t number = 0;
    in.get(number);
    const auto image = images_.find(number);
    if (image == images_.end()) throw WireError("a clip of an image that it did not send");
    frame.image = image->second;
    get(in, frame.stamp);
    in.take_text(frame.stream);
    in.get(frame.source_width);
    in.get(frame.source_height);
    in.get(frame.motion);
  });
  in.end();
  if (clip.frames.empty()) throw WireError("a clip without frames");
  return received;
}

}  // namespace palisade
