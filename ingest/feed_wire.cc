#include "ingest/feed_wire.h"

#include <cstring>

#include "base/utf8.h"
#include "ingest/wire_bytes.h"

namespace palisade {
namespace {

constexpr std::size_t kSizeBytes = 4;
constexpr std::uint32_t kMaxListed = 65'536;
constexpr std::uint32_t kMaxReason = 4'096;
constexpr std::chrono::milliseconds kLongestPause = std::chrono::hours(24 * 365);
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

// What it says as UTF-8 of a bounded length, with '?' for all that is none.
std::string told_text(std::string_view text) {
  std::string told;
  for (std::string_view rest = text.substr(0, kMaxReason); !rest.empty();) {
    const auto next = next_code_point(rest);
    told += next ? rest.substr(0, next->bytes) : "?";
    rest.remove_prefix(next ? next->bytes : 1);
  }
  return told;
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
  out.put(options.make_views);
  out.put(options.glimpses);
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
  in.get(options.make_views);
  in.get(options.glimpses);
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
  const auto is_side = [](int side) { return side >= 0 && side <= kMaxSide; };
  if (report.attempt < 0 || report.next_try_in.count() < 0 || report.next_try_in > kLongestPause ||
      !is_side(report.width) || !is_side(report.height) || !is_wire_time(report.since.time_since_epoch()))
    throw WireError("a report of impossible numbers");
  report.reason = told_text(report.reason);
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
    if (size == 0 || size > most_bytes_) throw WireError("a message of an impossible size");
    if (rest.size() >= kSizeBytes + size) {
      WireReader in(rest.substr(kSizeBytes, 1));
      FeedMessage kind{};
      in.get(kind, FeedMessage::kWatch);
      std::string values(rest.substr(kSizeBytes + 1, size - 1));
      at_ += kSizeBytes + size;
      return std::pair(kind, std::move(values));
    }
  }
  buffer_.erase(0, std::exchange(at_, 0));
  return std::nullopt;
}

}  // namespace palisade
